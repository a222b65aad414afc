"""Run jobs, several at once, until all have ended; a failure does not stop the others."""

import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from mmf_cmsbert.experiments.engines.engine import Engine, Process
from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.records import record


class Watcher(Protocol):
    """Receives progress events; see :mod:`mmf_cmsbert.experiments.display`."""

    def started(self, job: Job) -> None: ...

    def progressed(self, job: Job, made: int, of: int) -> None: ...

    def ended(self, outcome: "Outcome") -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How a job ended; ``error`` is None if it finished and wrote its record."""

    job: Job
    error: str | None


def run_all(
    jobs: Sequence[Job], engine: Engine, watcher: Watcher, pause: float = 0.2
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
    running: dict[int, tuple[Job, Process]] = {}
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


def _outcome(job: Job, process: Process, status: int) -> Outcome:
    found = record.find(job.folder)
    if status:
        recorded = found["error"] if found and found["status"] == "failed" else None
        return Outcome(job, process.error(status, recorded))
    if found is None or found["status"] != "finished":
        return Outcome(job, f"ended without a finished {record.NAME}")
    return Outcome(job, None)
