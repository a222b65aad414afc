"""Progress of an experiment on the console: a line for each finished run, bars on a terminal."""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.experiments.scheduler import Outcome
from mmf_cmsbert.records import record


class Display:
    """A watcher of :func:`run_all` that writes to a console; a context manager.

    Args:
        console: receives the output.
        done: number of jobs that were finished before.
        total: number of all jobs.
        verb: what has happened to a job that this command started.
    """

    def __init__(self, console: Console, done: int, total: int, verb: str = "started"):
        self._console, self._verb = console, verb
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            # Without a terminal the bars would be printed once, at the end.
            disable=not console.is_terminal,
            transient=True,
        )
        self._runs = self._progress.add_task("runs", total=total, completed=done)
        self._bars: dict[Job, TaskID] = {}
        self._begun: dict[Job, float] = {}

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def started(self, job: Job) -> None:
        self._begun[job] = time.monotonic()
        self._bars[job] = self._progress.add_task(f"  {job.label}", total=None)
        if not self._console.is_terminal:
            self._say(f"{job.label}: {self._verb}")

    def progressed(self, job: Job, made: int, of: int) -> None:
        self._progress.update(self._bars[job], completed=made, total=of)

    def ended(self, outcome: Outcome) -> None:
        job = outcome.job
        self._progress.remove_task(self._bars.pop(job))
        self._progress.advance(self._runs)
        seconds = f"{time.monotonic() - self._begun.pop(job):.0f} s"
        if outcome.error:
            self._say(f"{job.label}: FAILED after {seconds}: {outcome.error}", "red")
        else:
            self._say(f"{job.label}: {best_validation(job)}, {seconds}")

    def _say(self, line: str, style: str = "") -> None:
        self._console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def best_validation(job: Job) -> str:
    """Describe the best validation score of a finished run."""
    found = record.read(job.folder)
    if found["best"] is None:
        return "no validation gave a number"
    best, name = found["best"], found["criterion"]["name"]
    return f"best validation {name} {best['value']:.4f} at update {best['update']}"
