"""Weights & Biases: a run in the project that ``training.wandb`` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from mmf_cmsbert.trackers.tracker import TrackedRun

# Keys of training.wandb that are not arguments of wandb.init.
_OWN = ("enabled", "log_checkpoint")


class WeightsAndBiases:
    """Logs to a run of Weights & Biases; ``WANDB_MODE=offline`` keeps it in the run's folder.

    The keys of ``training.wandb`` are arguments of ``wandb.init``.

    Args:
        run: the run.
    """

    def __init__(self, run: TrackedRun):
        given = run.config["training"].get("wandb") or {}
        options: dict[str, Any] = {k: v for k, v in given.items() if k not in _OWN}
        options.setdefault("name", run.name)
        options.setdefault("dir", str(run.folder))
        # The run's own log is in its folder; wandb would wrap standard output to record it again.
        options.setdefault("settings", {"console": "off", "quiet": True})
        self._run: Any = wandb.init(config=dict(run.config), **options)
        self._run.define_metric("update", hidden=True)
        self._run.define_metric("*", step_metric="update")
        offline = f"wandb sync {self._run.settings.sync_dir}"
        self.view = self._run.url or offline

    def log(self, values: Mapping[str, float], update: int) -> None:
        """Record values, tag -> value, of an update."""
        self._run.log({**values, "update": update})

    def log_file(self, file: Path) -> None:
        """Keep a copy of a checkpoint as an artifact."""
        artifact = wandb.Artifact(f"run_{self._run.id}_model", type="model")
        artifact.add_file(str(file), name="current.pt")
        self._run.log_artifact(artifact, aliases=["latest"])

    def close(self, finished: bool) -> None:
        """Write what is left, and end the run."""
        self._run.finish(exit_code=0 if finished else 1)
