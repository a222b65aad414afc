"""Results as tables: on the terminal, as Markdown, and as CSV with one row per run."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.table import Table

from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.experiments.results import Results, what_changes
from mmf_cmsbert.files import replace_text, replaced_file
from mmf_cmsbert.report.measures import measures
from mmf_cmsbert.utils.statistics import (
    MOST_PAIRS,
    RESAMPLES,
    Estimate,
    ScoreSummary,
    pairs_needed,
    smallest_difference,
    smallest_p,
)

SYNTHETIC = "SYNTHETIC DATA: these scores say nothing about CMU-MOSI or CMU-MOSEI."
NOTE = (
    "\u2193 lower is better, \u2191 higher is better. {scored}, mean ± sample standard deviation "
    "over the runs. Comparisons: "
    "mean of the paired differences (same seed) from {reference}, its 95% interval by Student's t, "
    "and the two-sided p of the {exact}sign-flip permutation test, also corrected for the number "
    "of recipes compared (Holm). Few pairs show little: the smallest p that {pairs} pairs can give "
    "is {least:.3g}. P(better): the chance that a run is better than one of {reference}, with the "
    "95% interval of a bootstrap."
)
POWER_NOTE = (
    "Shown: the smallest mean difference from {reference} that so many pairs show with a chance of "
    "80%, by a paired t test at 5%. Pairs needed: how many show the difference found, or the given "
    "one, if pairs spread as these do. A spread from few pairs is uncertain itself."
)
MIDDLE_NOTE = (
    "IQM: interquartile mean, the mean of the middle half of the runs, which outliers move less; "
    "95% interval of a bootstrap that draws within each base (Agarwal et al., NeurIPS 2021)."
)
REPORT = "report.html"
_TWO_RUNS = (
    "`cmsbert report RUN RUN` compares two of them segment by segment. A run has a report with "
    "`training.report=true`."
)


def scores(results: Results) -> list[list[str]]:
    """Return the header and one row per recipe: name, runs, each metric's mean and deviation."""
    metrics = results.metrics()
    rows = [["recipe", "runs", *_names(metrics)]]
    for recipe in results.recipes:
        cells = (spread(results.summary(recipe, metric)) for metric in metrics)
        rows.append([recipe, str(len(results.of(recipe))), *cells])
    return rows


def comparisons(results: Results, metric: str) -> list[list[str]]:
    """Return one row per recipe but the reference: mean difference, interval, p, P(better)."""
    rows = [
        ["recipe", f"{_name(results, metric)} difference", "95% interval", "p", "p (Holm)"]
        + ["P(better)", "pairs"]
    ]
    found = results.comparisons(metric)
    for recipe in results.recipes[1:]:
        if recipe not in found:
            rows.append([recipe, *["-"] * 5, "0"])
            continue
        compared, corrected = found[recipe]
        ends = interval(compared.low, compared.high, "+")
        better = estimate(results.improvement(recipe, metric), 2)
        p = [_number(compared.p), _number(corrected)]
        rows.append([recipe, f"{compared.mean:+.3f}", ends, *p, better, str(compared.count)])
    return rows


def middle(results: Results) -> list[list[str]]:
    """Return one row per recipe: the interquartile mean of each metric, with its interval."""
    metrics = results.metrics()
    rows = [["recipe", *(f"{name}, IQM" for name in _names(metrics))]]
    for recipe in results.recipes:
        found = (results.interquartile_mean(recipe, metric) for metric in metrics)
        rows.append([recipe, *map(estimate, found)])
    return rows


def power(results: Results, metric: str, difference: float | None) -> list[list[str]]:
    """Return one row per recipe but the reference: what its number of pairs shows.

    Args:
        results: the runs.
        metric: the metric compared.
        difference: also state how many pairs show a difference of this size.
    """
    rows = [
        ["recipe", f"{_name(results, metric)} shown", "pairs", "pairs for the difference found"]
    ]
    rows[0] += [] if difference is None else [f"needed for {difference:g}"]
    for recipe, (compared, _) in results.comparisons(metric).items():
        if compared.deviation is None:
            continue
        shown = smallest_difference(compared.count, compared.deviation)
        sizes = [compared.mean, *([] if difference is None else [difference])]
        needed = (pairs_needed(size, compared.deviation) for size in sizes)
        cells = (f"over {MOST_PAIRS:,}" if each is None else str(each) for each in needed)
        rows.append([recipe, _number(shown), str(compared.count), *cells])
    return rows


def _name(results: Results, metric: str) -> str:
    metrics = results.metrics()
    return _names(metrics)[metrics.index(metric)]


def interval(low: float | None, high: float | None, sign: str = "", digits: int = 3) -> str:
    """Return the ends of an interval in words; a dash if there are none."""
    if low is None or high is None:
        return "-"
    return f"{low:{sign}.{digits}f} to {high:{sign}.{digits}f}"


def estimate(found: Estimate | None, digits: int = 3) -> str:
    """Return a value and its interval; a dash for None."""
    if found is None:
        return "-"
    ends = "" if found.low is None else f" ({interval(found.low, found.high, digits=digits)})"
    return f"{found.value:.{digits}f}{ends}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _names(metrics: Sequence[str]) -> list[str]:
    return [f"{each.name} {each.arrow}".strip() for each in measures(metrics)]


def reports(results: Results, folder: Path) -> list[list[str]]:
    """Return one row per run: recipe, base, seed, and a Markdown link to its report, if any.

    Args:
        results: the runs.
        folder: of the Markdown file, to which links are relative.
    """
    rows = [["recipe", "base", "seed", "report"]]
    for run in results.runs:
        report = run.job.folder / REPORT
        link = "-"
        if report.is_file():
            path = Path(os.path.relpath(report, folder)).as_posix()
            link = f"[{REPORT}]({quote(path)})"
        rows.append([run.job.recipe, run.job.base or "-", str(run.job.seed), link])
    return rows


def spread(summary: ScoreSummary | None) -> str:
    if summary is None:
        return "-"
    if summary.deviation is None:
        return f"{summary.mean:.3f}"
    return f"{summary.mean:.3f} ± {summary.deviation:.3f}"


def note(results: Results) -> str:
    """Explain the tables."""
    lead = results.criterion()
    counts = [pair.count for pair, _ in results.comparisons(lead).values()] if lead else []
    pairs = max(counts, default=len(results.of(results.reference)))
    text = NOTE.format(
        scored=results.scored,
        reference=results.reference,
        pairs=pairs,
        least=smallest_p(pairs),
        exact="exact " if 2**pairs <= RESAMPLES else "",
    )
    return f"{SYNTHETIC} {text}" if results.synthetic else text


def show(rows: Sequence[Sequence[str]], console: Console) -> None:
    """Print a table. Columns that do not fit follow below, with the first column repeated."""
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    start = 1
    while start < len(widths):
        stop = start + 1
        while stop < len(widths) and widths[0] + sum(widths[start : stop + 1]) <= console.width:
            stop += 1
        table = Table(box=None, pad_edge=False)
        for i in (0, *range(start, stop)):
            table.add_column(rows[0][i], justify="right" if i else "left", no_wrap=True)
        for row in rows[1:]:
            table.add_row(row[0], *row[start:stop])
        console.print()
        console.print(table)
        start = stop


def markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + " --- |" * len(rows[0]), *body])


def write_markdown(
    file: Path,
    results: Results,
    jobs: Sequence[Job],
    command: str,
    difference: float | None = None,
) -> None:
    """Write all tables for all metrics, the changes of each recipe, and links to reports."""
    mark = [f"**{SYNTHETIC}**"] if results.synthetic else []
    parts = ["# Results", *mark, f"    {command}", markdown(scores(results)), note(results)]
    parts += [MIDDLE_NOTE, markdown(middle(results))]
    changes = [[name, "; ".join(lines).replace("|", "\\|")] for name, lines in what_changes(jobs)]
    if changes:
        rows = [["recipe", f"changes to {results.reference}"], *changes]
        parts.append(markdown(rows))
        parts += [markdown(comparisons(results, metric)) for metric in results.metrics()]
        if criterion := results.criterion():
            explained = POWER_NOTE.format(reference=results.reference)
            parts += [explained, markdown(power(results, criterion, difference))]
    parts += ["## Runs", markdown(reports(results, file.parent)), _TWO_RUNS]
    replace_text(file, "\n\n".join(parts) + "\n")


def write_csv(file: Path, results: Results) -> None:
    """Write one row per run: recipe, seed, best update on validation, and scores."""
    metrics = results.metrics()
    head = ["recipe", "base", "seed", "best_update", "updates", "commit", "record"]
    head += [f"{split}/{name}" for split in ("val", "test") for name in metrics]
    with (
        replaced_file(file) as unfinished,
        open(unfinished, "w", newline="", encoding="utf-8") as stream,
    ):
        rows = csv.writer(stream)
        rows.writerow(head)
        for run in results.runs:
            job, found = run.job, run.record
            validation, test = (found[split] or {} for split in ("validation", "test"))
            rows.writerow(
                [job.recipe, job.base, job.seed]
                + [(found["best"] or {}).get("update"), found["updates"]]
                + [(found["commit"] or {}).get("hash"), job.folder / "run.json"]
                + [scored.get(name) for scored in (validation, test) for name in metrics]
            )
