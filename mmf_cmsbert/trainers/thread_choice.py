"""Choose the number of CPU threads of a run."""

import os
from pathlib import Path

import torch

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.records import record
from mmf_cmsbert.trainers.ranks import Ranks
from mmf_cmsbert.utils.threads import Threads
from mmf_cmsbert.utils.torch_threads import set_threads


class ChoosesThreads(TrainerSteps):
    """Computes on as many threads as cores are free, unless the user sets a number.

    A resumed run has the number of its record, so that it ends with the same digits.
    """

    threads: Threads | None = None

    def load_datasets(self) -> None:  # the first step after the device is set
        processes = int(os.environ.get("LOCAL_WORLD_SIZE") or Ranks.present(self.device).count)
        device = torch.device(self.device)
        self.threads = set_threads(device, self._recorded_threads(), processes)
        super().load_datasets()

    def _recorded_threads(self) -> int | None:
        if not self.config.checkpoint.get("resume"):
            return None
        found = record.find(Path(self.config.env.save_dir).expanduser()) or {}
        count = (found.get("machine") or {}).get("threads")
        return count if isinstance(count, int) and count > 0 else None
