"""Run the benchmark's missing runs, and write and print its results."""

from pathlib import Path

from rich.console import Console

from mmf_cmsbert.experiments import plot, table
from mmf_cmsbert.experiments.ablation import list_failures, run_missing
from mmf_cmsbert.experiments.cues import report
from mmf_cmsbert.experiments.cues.benchmark import Benchmark
from mmf_cmsbert.experiments.cues.scores import Scores
from mmf_cmsbert.experiments.cues.texts import Texts
from mmf_cmsbert.experiments.engines.engine import Engine
from mmf_cmsbert.experiments.results import collect


def run(
    benchmark: Benchmark,
    texts: Texts,
    folder: Path,
    engine: Engine,
    console: Console,
    command: str,
    keep_weights: bool = False,
) -> bool:
    """Run what is missing; write ``cues.{csv,md,json,png,svg}`` and print the curves.

    Args:
        benchmark: the plan.
        texts: of the first draw, for the results.
        folder: of the results.
        engine: makes the runs.
        console: receives the output.
        command: the command line, for the files.
        keep_weights: whether finished runs keep their checkpoints.

    Returns:
        Whether all runs have finished.
    """
    _say(console, f"{report.SEMI}\n{about(texts)}\n{len(benchmark.jobs)} runs.")
    outcomes = run_missing(benchmark.jobs, engine, console, keep_weights)
    results = collect(benchmark.jobs)
    scores = Scores(benchmark, results)
    if scores.points:
        files = [folder / f"cues.{kind}" for kind in ("csv", "md", "json", "png", "svg")]
        table.write_csv(files[0], results)
        report.write_markdown(files[1], scores, command, about(texts))
        report.write_json(files[2], scores, command, texts)
        if plot.can_plot():
            report.write_plot(scores, files[3:])
        for rows in (report.curves(scores), report.comparisons(scores), report.controls(scores)):
            table.show(rows, console)
        console.print()
        _say(console, report.NOTE)
        _say(console, "Written: " + ", ".join(str(file) for file in files if file.exists()))
    return list_failures(outcomes, len(benchmark.jobs), console)


def about(texts: Texts) -> str:
    """Describe the texts in one line."""
    counts = "/".join(str(len(each)) for each in texts.splits.values())
    origin = ", ".join(f"{each.path} (sha256 {each.sha256[:12]})" for each in texts.sources)
    skipped = f"; {len(texts.skipped)} segments skipped" if texts.skipped else ""
    return f"Words and labels: {origin or 'generated sentences'}, {counts} segments{skipped}."


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
