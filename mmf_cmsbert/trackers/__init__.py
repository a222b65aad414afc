"""Experiment trackers behind one interface; each is imported only where a run uses it."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trackers.tracker import TrackedRun, Tracker

__all__ = ["TrackedRun", "Tracker", "check", "open_all"]

# Name -> module of this package and its class, the module that it needs, what pip installs.
_TRACKERS = {
    "tensorboard": ("tensorboard:TensorBoard", "tensorboard", "tensorboard"),
    "wandb": ("weights_and_biases:WeightsAndBiases", "wandb", "wandb"),
    "mlflow": ("mlflow_runs:MLflow", "mlflow", "mlflow-skinny"),
}


def check(names: Sequence[str]) -> None:
    """Check that the packages of some trackers are installed; imports none of them.

    Raises:
        ConfigError: one is not, with what to install.
    """
    for name in names:
        _, module, package = _TRACKERS[name]
        if find_spec(module) is None:
            raise ConfigError(
                f"training.trackers: {name} needs the package {package}, which is not installed; "
                f"type pip install {package}"
            )


def open_all(names: Sequence[str], run: TrackedRun) -> list[Tracker]:
    """Start some trackers.

    Args:
        names: of ``tensorboard``, ``wandb`` and ``mlflow``.
        run: what they are to record.

    Raises:
        ConfigError: one cannot be started.
    """
    opened: list[Tracker] = []
    for name in names:
        module, _, owner = _TRACKERS[name][0].partition(":")
        make: Any = getattr(import_module(f"mmf_cmsbert.trackers.{module}"), owner)
        try:
            opened.append(make(run))
        except Exception as error:
            for each in opened:
                each.close(finished=False)
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ConfigError(f"training.trackers: {name} cannot be started: {reason}") from error
    return opened
