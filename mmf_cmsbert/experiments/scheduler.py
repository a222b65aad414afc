"""Run jobs, several at once, until all have ended; a failure does not stop the others."""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.experiments.process import MMFRun, error_of
from mmf_cmsbert.records import record


class Process(Protocol):
    """A started run, such as :class:`MMFRun`."""

    def poll(self) -> int | None: ...

    def stop(self) -> None: ...

    def progress(self) -> tuple[int, int] | None: ...


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


Start = Callable[[Job, int], Process]


def run_all(
    jobs: Sequence[Job], slots: int, start: Start, watcher: Watcher, pause: float = 0.2
) -> list[Outcome]:
    """Run all jobs, ``slots`` of them at a time.

    Args:
        jobs: the jobs, in the order of their start.
        slots: number of jobs that run at once.
        start: starts a job in a slot.
        watcher: receives progress events.
        pause: seconds between two polls of the running jobs.

    Returns:
        The outcomes, in the order in which the jobs ended.

    Raises:
        KeyboardInterrupt: after all running jobs have been stopped.
    """
    waiting = deque(jobs)
    running: dict[int, tuple[Job, Process]] = {}
    outcomes: list[Outcome] = []
    try:
        while waiting or running:
            for slot in range(slots):
                if waiting and slot not in running:
                    job = waiting.popleft()
                    running[slot] = job, start(job, slot)
                    watcher.started(job)
            time.sleep(pause)
            for slot, (job, process) in list(running.items()):
                status = process.poll()
                if status is None:
                    if made := process.progress():
                        watcher.progressed(job, *made)
                    continue
                del running[slot]
                outcomes.append(_outcome(job, status))
                watcher.ended(outcomes[-1])
    finally:
        if running:
            # In parallel: each may need its whole limit to save its state.
            with ThreadPoolExecutor(len(running)) as pool:
                list(pool.map(lambda started: started[1].stop(), running.values()))
    return outcomes


def _outcome(job: Job, status: int) -> Outcome:
    found = record.find(job.folder)
    if status:
        recorded = found["error"] if found and found["status"] == "failed" else None
        return Outcome(job, error_of(job.log, status, recorded))
    if found is None or found["status"] != "finished":
        return Outcome(job, f"ended without a finished {record.NAME}")
    return Outcome(job, None)


def starter(slots: int) -> Start:
    """Return a function that starts jobs as processes: cores are divided, GPUs used in turn."""
    threads = int(os.environ.get("OMP_NUM_THREADS", 0)) or max(1, _cores() // slots)
    gpus = _gpus()

    def start(job: Job, slot: int) -> Process:
        resumes = job.can_resume()
        words = [
            *job.words,
            f"checkpoint.resume={str(resumes).lower()}",
            # A run that cannot be used for this job is replaced in the same folder.
            f"env.overwrite={str(not resumes).lower()}",
        ]
        gpu = gpus[slot % len(gpus)] if gpus else None
        return MMFRun(words, job.log, threads, gpu)

    return start


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpus() -> list[str]:
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in visible.split(",") if name]
    import torch

    return [str(i) for i in range(torch.cuda.device_count())]
