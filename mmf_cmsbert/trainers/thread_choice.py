"""Choose the number of CPU threads of a run."""

import os
from pathlib import Path

import torch

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.records import record
from mmf_cmsbert.trainers.ranks import Ranks
from mmf_cmsbert.utils import threads
from mmf_cmsbert.utils.threads import Threads

# Torch's own choice, unless it was changed before this module was imported.
_DEFAULT = torch.get_num_threads()


class ChoosesThreads(TrainerSteps):
    """Computes on as many threads as cores are free, because more of them wait for each other.

    A number that the user sets wins, by OMP_NUM_THREADS, by MKL_NUM_THREADS or by
    :func:`torch.set_num_threads`. A resumed run has the number of its record, so that it ends with
    the same digits. With a GPU, the number is not changed.
    """

    threads: Threads | None = None

    def load_datasets(self) -> None:  # the first step after the device is set
        self.threads = self._chosen_threads()
        torch.set_num_threads(self.threads.count)
        super().load_datasets()

    def _chosen_threads(self) -> Threads:
        present = torch.get_num_threads()
        if variable := threads.set_by_user():
            return Threads(present, variable)
        if present != _DEFAULT:
            return Threads(present, "set by torch.set_num_threads")
        if torch.device(self.device).type != "cpu":
            return Threads(present, "torch's default")
        processes = int(os.environ.get("LOCAL_WORLD_SIZE") or Ranks.present(self.device).count)
        return threads.choose(present, self._recorded_threads(), processes)

    def _recorded_threads(self) -> int | None:
        if not self.config.checkpoint.get("resume"):
            return None
        found = record.find(Path(self.config.env.save_dir).expanduser()) or {}
        count = (found.get("machine") or {}).get("threads")
        return count if isinstance(count, int) and count > 0 else None
