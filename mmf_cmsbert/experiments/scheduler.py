"""Runs jobs, several at once, until all have ended; what fails does not stop the others."""

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
    """What a scheduler needs of a started run; see :class:`MMFRun`."""

    def poll(self) -> int | None: ...

    def stop(self) -> None: ...

    def progress(self) -> tuple[int, int] | None: ...


class Watcher(Protocol):
    """Who is told what happens; see :mod:`mmf_cmsbert.experiments.display`."""

    def started(self, job: Job) -> None: ...

    def progressed(self, job: Job, made: int, of: int) -> None: ...

    def ended(self, outcome: "Outcome") -> None: ...


@dataclass(frozen=True)
class Outcome:
    """How a job ended; ``error`` is None where it came to its end and left its record."""

    job: Job
    error: str | None


Start = Callable[[Job, int], Process]


def run_all(
    jobs: Sequence[Job], slots: int, start: Start, watcher: Watcher, pause: float = 0.2
) -> list[Outcome]:
    """Run all jobs, ``slots`` of them at a time.

    Args:
        jobs: in the order in which they are begun.
        slots: how many run at once.
        start: begins a job in a slot.
        watcher: is told what happens.
        pause: seconds between two looks at what runs.

    Returns:
        How each ended, in the order in which they did.

    Raises:
        KeyboardInterrupt: as soon as all that ran have been stopped.
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
            # All at the same time: each may take until its limit to save what it has.
            with ThreadPoolExecutor(len(running)) as pool:
                list(pool.map(lambda started: started[1].stop(), running.values()))
    return outcomes


def _outcome(job: Job, status: int) -> Outcome:
    if status:
        return Outcome(job, error_of(job.log, status))
    found = record.find(job.folder)
    if found is None or found["status"] != "finished":
        return Outcome(job, f"it ended without a finished {record.NAME}")
    return Outcome(job, None)


def starter(slots: int) -> Start:
    """Begins jobs as processes that share the machine: cores are divided, GPUs dealt out."""
    threads = int(os.environ.get("OMP_NUM_THREADS", 0)) or max(1, _cores() // slots)
    gpus = _gpus()

    def start(job: Job, slot: int) -> Process:
        resumes = job.goes_on()
        words = [
            *job.words,
            f"checkpoint.resume={str(resumes).lower()}",
            # A run that does not stand for the job is made again, in the same folder.
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
