"""The results of an experiment as JSON: scores of each run, and all statistics of the tables."""

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmf_cmsbert.experiments.results import Results
from mmf_cmsbert.files import replace_text
from mmf_cmsbert.utils.statistics import pairs_needed, smallest_difference

FORMAT = 1


def write_json(file: Path, results: Results, command: str, difference: float | None = None) -> None:
    """Write the results.

    Args:
        file: the file.
        results: the runs.
        command: the command line.
        difference: also state how many pairs show a difference of this size.
    """
    metrics = {metric: _metric(results, metric, difference) for metric in results.metrics()}
    content = {
        "format": FORMAT,
        "command": command,
        "split": results.split,
        "synthetic": results.synthetic,
        "reference": results.reference,
        "criterion": results.criterion(),
        "metrics": metrics,
    }
    replace_text(file, json.dumps(content, indent=1) + "\n")


def _metric(results: Results, metric: str, difference: float | None) -> dict[str, Any]:
    compared = results.comparisons(metric)
    found: dict[str, Any] = {}
    for recipe in results.recipes:
        runs = [run for run in results.of(recipe) if metric in run.scores]
        if not runs:
            continue
        middle, better = (
            statistic(recipe, metric)
            for statistic in (results.interquartile_mean, results.improvement)
        )
        own: dict[str, Any] = {
            "runs": [
                {"base": run.job.base, "seed": run.job.seed, "value": _plain(run.scores[metric])}
                for run in runs
            ],
            "interquartile_mean": middle and asdict(middle),
        }
        if recipe in compared:
            pairs, corrected = compared[recipe]
            own["comparison"] = asdict(pairs) | {
                "p_holm": corrected,
                "probability_of_improvement": better and asdict(better),
            }
            if (deviation := pairs.deviation) is not None:
                own["power"] = {
                    "smallest_difference": smallest_difference(pairs.count, deviation),
                    "pairs_for_the_difference_found": pairs_needed(pairs.mean, deviation),
                }
                if difference is not None:
                    needed = pairs_needed(difference, deviation)
                    own["power"]["difference"] = difference
                    own["power"]["pairs_for_the_difference"] = needed
        found[recipe] = own
    return found


def _plain(value: float) -> float | None:
    """JSON has no NaN."""
    return value if math.isfinite(value) else None
