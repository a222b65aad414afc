"""Recipes and seeds, run where they were not yet, and compared."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from mmf_cmsbert.experiments import plot, table
from mmf_cmsbert.experiments.display import Display
from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.experiments.results import Results, collect
from mmf_cmsbert.experiments.scheduler import Outcome, Start, run_all


def ablate(
    jobs: Sequence[Job],
    output: Path,
    slots: int,
    start: Start,
    console: Console,
    command: Sequence[str],
    keep_weights: bool = False,
) -> bool:
    """Run the jobs that are not done, and write and print what all of them scored.

    Args:
        jobs: as :func:`plan` lays them out; the first one's recipe is the reference.
        output: the folder for ``results.*``.
        slots: how many run at once.
        start: begins a job.
        console: where it is said.
        command: what was typed, for the Markdown file.
        keep_weights: whether finished runs keep their checkpoints.

    Returns:
        Whether all jobs have come to their end.
    """
    outcomes = run_missing(jobs, slots, start, console, keep_weights)
    results = collect(jobs)
    if results.runs:
        _report(results, jobs, output, console, command)
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        console.print(f"\n{len(failed)} of {len(jobs)} runs failed:", style="red")
        for outcome in failed:
            _say(console, f"  {outcome.job.label}: {outcome.error}\n    {outcome.job.log}")
        _say(console, "The same command runs these again, and only these.")
    return not failed


def run_missing(
    jobs: Sequence[Job], slots: int, start: Start, console: Console, keep_weights: bool = False
) -> list[Outcome]:
    """Run those jobs whose folder holds no finished run of just their configuration, code and data.

    Raises:
        KeyboardInterrupt: after what ran has been stopped, and what to do has been said.
    """
    reasons = {job: job.why_again() for job in jobs}
    missing = [job for job in jobs if reasons[job]]
    done = len(jobs) - len(missing)
    if done:
        _say(console, f"{done} of {len(jobs)} runs are done already.")
    for job in missing:
        if (job.folder / "run.json").is_file():
            verb = "goes on" if job.goes_on() else "begins again"
            _say(console, f"{job.label} {verb}: {'; '.join(reasons[job])}")
    with Display(console, done, len(jobs)) as display:
        watcher = _Tidy(display, keep_weights)
        try:
            return run_all(missing, slots, start, watcher)
        except KeyboardInterrupt:
            count = sum(not job.why_again() for job in jobs)
            _say(
                console, f"Stopped; {count} of {len(jobs)} runs are done. The same command goes on."
            )
            raise


class _Tidy:
    """A watcher that removes the checkpoints of what has finished, and passes on what it hears."""

    def __init__(self, display: Display, keep_weights: bool):
        self.started, self.progressed = display.started, display.progressed
        self._display, self._keep = display, keep_weights

    def ended(self, outcome: Outcome) -> None:
        self._display.ended(outcome)
        if outcome.error is None and not self._keep:
            for pattern in ("*.ckpt", "models/*.ckpt", "*_final.pth"):
                for file in outcome.job.folder.glob(pattern):
                    file.unlink()


def _report(
    results: Results, jobs: Sequence[Job], output: Path, console: Console, command: Sequence[str]
) -> None:
    files = [output / f"results.{kind}" for kind in ("csv", "md", "png", "svg")]
    table.write_csv(files[0], results)
    table.write_markdown(files[1], results, jobs, shlex.join(command))
    table.show(table.scores(results), console)
    criterion = results.criterion()
    if criterion and len(results.recipes) > 1:
        table.show(table.comparisons(results, criterion), console)
    console.print()
    _say(console, table.note(results))
    if results.metrics() and plot.can_plot():
        plot.write(results, *files[2:])
    else:
        files = files[:2]
        _say(
            console,
            "No plot: matplotlib is not installed (pip install 'mmf_cmsbert[experiments]').",
        )
    _say(console, "Written: " + ", ".join(map(str, files)))


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
