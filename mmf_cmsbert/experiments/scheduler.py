"""Run jobs, several at once, until all have ended; a failure does not stop the others."""

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from mmf_cmsbert.experiments.engines.engine import Engine, Process, Task


class Watcher(Protocol):
    """Receives progress events; see :mod:`mmf_cmsbert.experiments.display`."""

    def started(self, job: Task) -> None: ...

    def progressed(self, job: Task, made: int, of: int) -> None: ...

    def ended(self, outcome: "Outcome") -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How a job ended; ``error`` is None if it finished and its results are complete."""

    job: Task
    error: str | None


def run_all(
    jobs: Sequence[Task], engine: Engine, watcher: Watcher, pause: float = 0.2
) -> list[Outcome]:
    """Run all jobs, at most ``engine.slots`` of them at a time.

    Args:
        jobs: the jobs, in the order of their start.
        engine: starts the jobs.
        watcher: receives progress events.
        pause: seconds between two polls of the running jobs.

    Returns:
        The outcomes, in the order in which the jobs ended.

    Raises:
        KeyboardInterrupt: after all running jobs have been stopped, unless they outlive this
            command.
    """
    engine.prepare(jobs)
    slots = engine.slots or len(jobs)
    waiting = deque(jobs)
    running: dict[int, tuple[Task, Process]] = {}
    outcomes: list[Outcome] = []
    try:
        while waiting or running:
            for slot in range(slots):
                if waiting and slot not in running:
                    job = waiting.popleft()
                    running[slot] = job, engine.start(job, slot)
                    watcher.started(job)
            time.sleep(pause)
            for slot, (job, process) in list(running.items()):
                status = process.poll()
                if status is None:
                    if made := process.progress():
                        watcher.progressed(job, *made)
                    continue
                del running[slot]
                outcomes.append(_outcome(job, process, status))
                watcher.ended(outcomes[-1])
    finally:
        if running:
            # In parallel: each may need its whole limit to save its state.
            with ThreadPoolExecutor(len(running)) as pool:
                list(pool.map(lambda started: started[1].stop(), running.values()))
    return outcomes


def _outcome(job: Task, process: Process, status: int) -> Outcome:
    return Outcome(job, process.error(status, job.recorded_error()) if status else job.missing())
