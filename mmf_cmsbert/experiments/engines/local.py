"""Jobs as processes of this machine: cores are divided, GPUs used in turn."""

import os
from collections.abc import Sequence

from mmf_cmsbert.experiments.engines.engine import Process, Task
from mmf_cmsbert.experiments.process import JobProcess
from mmf_cmsbert.utils.threads import usable_cores


class LocalEngine:
    """Starts jobs on this machine; they end with this command.

    Args:
        slots: jobs at once.
    """

    def __init__(self, slots: int):
        self.slots: int | None = slots
        # Not by free cores: all runs of a table, now and later, compute on as many threads.
        self._threads = int(os.environ.get("OMP_NUM_THREADS", 0)) or max(1, usable_cores() // slots)
        self._gpus = _gpus()

    def prepare(self, jobs: Sequence[Task]) -> None:
        pass

    def start(self, job: Task, slot: int) -> Process:
        gpu = self._gpus[slot % len(self._gpus)] if self._gpus else None
        return JobProcess(job.words, job.log, self._threads, gpu, job.entry)

    def left(self) -> None:
        return None


def _gpus() -> list[str]:
    if (visible := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [name for name in visible.split(",") if name]
    import torch

    return [str(i) for i in range(torch.cuda.device_count())]
