"""TensorBoard: event files in the run's folder."""

import shlex
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from mmf_cmsbert.trackers.tracker import TrackedRun


class TensorBoard:
    """Writes event files into ``logs/tensorboard_TIME``, the folder that MMF uses.

    Args:
        run: the run. What earlier event files have after its first update is hidden.
    """

    def __init__(self, run: TrackedRun):
        folder = run.log_folder / f"tensorboard_{datetime.now():%Y-%m-%dT%H:%M:%S}"
        purge = run.update + 1 if run.update else None
        self._writer = SummaryWriter(str(folder), purge_step=purge)
        self.view = f"tensorboard --logdir {shlex.quote(str(run.log_folder))}"

    def log(self, values: Mapping[str, float], update: int) -> None:
        """Record values, tag -> value, of an update."""
        for tag, value in values.items():
            self._writer.add_scalar(tag, value, update)
        self._writer.flush()

    def log_file(self, file: Path) -> None:
        """Do nothing: event files hold numbers only."""

    def close(self, finished: bool) -> None:
        """Write what is left."""
        self._writer.close()
