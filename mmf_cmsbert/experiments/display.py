"""Progress of jobs on the console: a line for each finished job, bars on a terminal."""

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

from mmf_cmsbert.experiments.engines.engine import Task
from mmf_cmsbert.experiments.scheduler import Outcome


class Display:
    """A watcher of :func:`run_all` that writes to a console; a context manager.

    Args:
        console: receives the output.
        done: weight of the jobs that were finished before.
        total: weight of all jobs.
        verb: what has happened to a job that this command started.
        unit: what the weight counts.
    """

    def __init__(
        self, console: Console, done: int, total: int, verb: str = "started", unit: str = "runs"
    ):
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
        self._all = self._progress.add_task(unit, total=total, completed=done)
        self._bars: dict[Task, TaskID] = {}
        self._begun: dict[Task, float] = {}
        self._counted: dict[Task, int] = {}

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    def started(self, job: Task) -> None:
        self._begun[job] = time.monotonic()
        self._bars[job] = self._progress.add_task(f"  {job.label}", total=None)
        if not self._console.is_terminal:
            self._say(f"{job.label}: {self._verb}")

    def progressed(self, job: Task, made: int, of: int) -> None:
        self._progress.update(self._bars[job], completed=made, total=of)
        if job.weight > 1:  # what it makes is counted one by one; some may have been made before
            self._count(job, made - (of - job.weight))

    def _count(self, job: Task, made: int) -> None:
        self._progress.advance(self._all, max(0, made - self._counted.get(job, 0)))
        self._counted[job] = max(made, self._counted.get(job, 0))

    def ended(self, outcome: Outcome) -> None:
        job = outcome.job
        self._progress.remove_task(self._bars.pop(job))
        self._count(job, job.weight)
        seconds = f"{time.monotonic() - self._begun.pop(job):.0f} s"
        if outcome.error:
            self._say(f"{job.label}: FAILED after {seconds}: {outcome.error}", "red")
        else:
            self._say(f"{job.label}: {job.result()}, {seconds}")

    def _say(self, line: str, style: str = "") -> None:
        self._console.print(line, style=style, markup=False, highlight=False, soft_wrap=True)
