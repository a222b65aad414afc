"""The position of a run, as plain values in a checkpoint's entry ``resume``.

With the weights and the state of the optimizer, they give a resumed run the numbers of a run
without interruption.
"""

import warnings
from collections import deque
from collections.abc import Mapping
from typing import Any

import torch

from mmf_cmsbert.checkpoints import form, generators

# The form of the counts that every position has
_COUNTS = {
    "num_updates": 0,
    "current_iteration": 0,
    "last_evaluated_update": 0,
    "activated": False,
    "meter": {},
}


def capture(trainer: Any) -> dict[str, Any] | None:
    """Return the position of a trainer; None if its training data cannot be resumed.

    Args:
        trainer: has counts, ``train_loader``, ``optimizer``, ``lr_scheduler``, ``early_stopping``
            and ``meter``, as the trainers of this package.
    """
    loader: Any = getattr(trainer, "train_loader", None)
    if not hasattr(loader, "resume_epoch"):
        return None
    scheduler = trainer.lr_scheduler
    return {
        "num_updates": trainer.num_updates,
        "current_iteration": trainer.current_iteration,
        "epoch": None if loader.epoch is None else loader.epoch.position(),
        "generators": generators.capture(),
        # Between two evaluations those of the other processes do not follow from the first one's
        "generators_of_ranks": getattr(trainer, "generators_of_ranks", None),
        "last_evaluated_update": trainer.early_stopping.last_evaluated_update,
        "activated": trainer.early_stopping.activated,
        "lr_scheduler": None if scheduler is None else _plain_entries(scheduler.state_dict()),
        "parameter_groups": [
            _plain_entries({k: v for k, v in group.items() if k != "params"})
            for group in trainer.optimizer.param_groups
        ],
        "meter": {name: _values(value) for name, value in trainer.meter.meters.items()},
    }


def restore_counts(trainer: Any, kept: Mapping[str, Any]) -> None:
    """Set a trainer's counts and averages to those of a position.

    Raises:
        ValueError: the position has another form.
    """
    if wrong := form.difference(_COUNTS, kept, "resume"):
        raise ValueError(wrong)
    # With resume_best MMF sets the number of the best update even if current.ckpt was loaded.
    trainer.num_updates = kept["num_updates"]
    trainer.current_iteration = kept["current_iteration"]
    trainer.early_stopping.last_evaluated_update = kept["last_evaluated_update"]
    trainer.early_stopping.activated = kept["activated"]
    for name, values in kept["meter"].items():
        _fill(trainer.meter.meters[name], values)


def check(trainer: Any, kept: Mapping[str, Any]) -> None:
    """Compare the form of a position with that of the trainer's own.

    Raises:
        ValueError: they differ.
    """
    # The position in the epoch is checked when the data is positioned.
    if wrong := form.difference(capture(trainer), {**kept, "epoch": None}, "resume"):
        raise ValueError(wrong)


def restore_schedule(trainer: Any, kept: Mapping[str, Any]) -> None:
    """Set the learning rates of a trainer's schedule and optimizer to those of a position."""
    scheduler = trainer.lr_scheduler
    scheduler.load_state_dict({**scheduler.state_dict(), **kept["lr_scheduler"]})
    groups = trainer.optimizer.param_groups
    for group, values in zip(groups, kept["parameter_groups"], strict=True):
        group.update(values)


def step_schedule(trainer: Any) -> None:
    """Advance a new schedule to the trainer's number of updates."""
    with warnings.catch_warnings():
        # torch wants an update before a step, and this process has made none yet
        warnings.simplefilter("ignore")
        trainer.lr_scheduler.step(trainer.num_updates - trainer.schedule_lag)


def batches_done(kept: Mapping[str, Any]) -> int | None:
    """Return the batches done in the epoch of a position; None at its end."""
    if not kept["epoch"]:
        return None
    return sum(stream["drawn"] for stream in kept["epoch"]["streams"])


def _plain_entries(state: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out functions and configurations, which belong to this run and not to its state."""
    return {key: value for key, value in state.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str, torch.Tensor))


def _values(average: Any) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, deque) else v for k, v in vars(average).items()}


def _fill(average: Any, values: Mapping[str, Any]) -> None:
    """Set MMF's moving average to the values that `_values` returned."""
    for name, value in values.items():
        is_window = isinstance(value, list)
        setattr(average, name, deque(value, values["window_size"]) if is_window else value)
