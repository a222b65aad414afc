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
from mmf_cmsbert.utils.statistics import Comparison, ScoreSummary

SYNTHETIC = "SYNTHETIC DATA: these scores say nothing about CMU-MOSI or CMU-MOSEI."
NOTE = (
    "\u2193 lower is better, \u2191 higher is better. {scored}, mean ± sample standard deviation "
    "over the runs. Comparisons: "
    "mean of the paired differences (same seed) from {reference}, its 95% interval by Student's t, "
    "and the two-sided p of the exact sign-flip permutation test. Few pairs show little: the "
    "smallest p that {pairs} pairs can give is {least:.3g}. p is not corrected for the number of "
    "recipes compared."
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
    """Return one row per recipe but the reference: mean difference, interval, p and pairs."""
    metrics = results.metrics()
    name = _names(metrics)[metrics.index(metric)]
    rows = [["recipe", f"{name} difference", "95% interval", "p", "pairs"]]
    for recipe in results.recipes[1:]:
        found = results.comparison(recipe, metric)
        rows.append([recipe, *(_compared(found) if found else ["-"] * 3 + ["0"])])
    return rows


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
    pairs = len(results.of(results.reference))
    least = 2 / 2**pairs if pairs > 1 else 1
    text = NOTE.format(scored=results.scored, reference=results.reference, pairs=pairs, least=least)
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


def write_markdown(file: Path, results: Results, jobs: Sequence[Job], command: str) -> None:
    """Write both tables for all metrics, the changes of each recipe, and links to reports."""
    mark = [f"**{SYNTHETIC}**"] if results.synthetic else []
    parts = ["# Results", *mark, f"    {command}", markdown(scores(results)), note(results)]
    changes = [[name, "; ".join(lines).replace("|", "\\|")] for name, lines in what_changes(jobs)]
    if changes:
        rows = [["recipe", f"changes to {results.reference}"], *changes]
        parts.append(markdown(rows))
        parts += [markdown(comparisons(results, metric)) for metric in results.metrics()]
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


def _compared(found: Comparison) -> list[str]:
    mean = f"{found.mean:+.3f}"
    if found.p is None:
        return [mean, "-", "-", "1"]
    return [mean, f"{found.low:+.3f} to {found.high:+.3f}", f"{found.p:.3f}", str(found.count)]
