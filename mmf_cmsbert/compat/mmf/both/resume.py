"""Resumed runs end with the numbers of a run without interruption.

A checkpoint's entry `resume` holds what this takes; see :func:`position`.
"""

import warnings
from collections import deque
from pathlib import Path
from typing import Any

import torch
from mmf.common.meter import SmoothedValue
from mmf.common.registry import registry

from mmf_cmsbert.checkpoints import form, generators
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.both.checkpoint_loading import fitting
from mmf_cmsbert.compat.mmf.line import is_main, trainer_class
from mmf_cmsbert.compat.patch import patch

_COUNTS = {
    "num_updates": 0,
    "current_iteration": 0,
    "last_evaluated_update": 0,
    "activated": False,
    "meter": {},
}


@patch(
    "mmf.trainers.base_trainer.BaseTrainer.load",
    why="MMF resumes at the beginning of an epoch with a new shuffle and new states of the "
    "generators, and skips an evaluation that was due when the checkpoint was written. rc10's "
    "learning rate schedule begins again.",
    remove_when="MMF saves the position in the data, the generators and the schedule.",
)
def resume_exactly() -> None:
    trainer = trainer_class()
    # what each line's trainer calls after it has loaded a checkpoint and built the scheduler
    last_step = "on_init_start" if is_main() else "load_extras"
    original = getattr(trainer, last_step)

    def load_and_position(self, **kwargs):
        original(self, **kwargs)
        # not before: building the scheduler sets the learning rates of update 0
        with fitting(getattr(self, "resume_file", None)):
            if kept := self.resume_position:
                # The position in the epoch is checked when it is taken up.
                wrong = form.difference(position(self), {**kept, "epoch": None}, "resume")
                if wrong:
                    raise ValueError(wrong)
            _position_scheduler(self)

    setattr(trainer, last_step, load_and_position)
    trainer.take_up = take_up
    trainer.resume_position = None


def position(trainer: Any) -> dict | None:
    """Return where a run is, in plain values; None for a trainer of another kind."""
    loader = getattr(trainer, "train_loader", None)
    if not hasattr(loader, "take_up"):
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
        "lr_scheduler": None if scheduler is None else _only_plain(scheduler.state_dict()),
        "parameter_groups": [
            _only_plain({k: v for k, v in group.items() if k != "params"})
            for group in trainer.optimizer.param_groups
        ],
        "meter": {name: _values(value) for name, value in trainer.meter.meters.items()},
    }


def begin(trainer: Any, kept: dict | None, file: Path) -> None:
    """Let a trainer, whose weights and counts are loaded, go on from what `position` returned."""
    if kept is None:
        mmf_log.write(
            f"Resuming from {file}, update {trainer.num_updates}. It does not hold the position in "
            "the epoch (MMF alone wrote it, or checkpoint.reset drops it): the data is shuffled "
            "anew, and the results differ from those of a run without interruption.",
            "warning",
        )
        return
    if wrong := form.difference(_COUNTS, kept, "resume"):
        raise ValueError(wrong)
    # With resume_best MMF takes the best update's number, also where current.ckpt had to serve.
    trainer.num_updates = kept["num_updates"]
    trainer.current_iteration = kept["current_iteration"]
    registry.register("num_updates", trainer.num_updates)
    registry.register("current_iteration", trainer.current_iteration)
    trainer.early_stopping.last_evaluated_update = kept["last_evaluated_update"]
    trainer.early_stopping.activated = kept["activated"]
    for name, values in kept["meter"].items():
        trainer.meter.meters[name] = _smoothed(values)
    trainer.resume_position, trainer.resume_file = kept, file
    done = "done"
    if kept["epoch"]:
        batches = sum(stream["drawn"] for stream in kept["epoch"]["streams"])
        done = f"with {batches} batches done"
    mmf_log.write(
        f"Resuming from {file}: update {trainer.num_updates}, epoch {trainer.current_epoch} {done}"
    )


def take_up(trainer: Any) -> tuple[bool, bool]:
    """Put the generators and the training data where the resumed run had them.

    Evaluates first where that was due when the checkpoint was written.

    Returns:
        Whether the epoch goes on, and whether training shall stop.
    """
    kept, trainer.resume_position = trainer.resume_position, None
    if kept is None:
        return False, False
    with fitting(trainer.resume_file):
        generators.restore(kept["generators"])
        goes_on = kept["epoch"] is not None and trainer.train_loader.take_up(kept["epoch"])
    stopping = trainer.early_stopping
    due = trainer.num_updates % trainer.evaluation_interval == 0
    if due and stopping.last_evaluated_update != trainer.num_updates:
        return goes_on, trainer._try_full_validation()
    return goes_on, stopping.should_stop is True and stopping.is_over()


def _position_scheduler(trainer: Any) -> None:
    scheduler, kept = trainer.lr_scheduler, trainer.resume_position
    if scheduler is None or trainer.num_updates == 0:
        return
    if kept is None and trainer.checkpoint.has_schedule:
        return
    reset = trainer.config.checkpoint.reset
    if kept is None or kept["lr_scheduler"] is None or reset.optimizer or reset.all:
        with warnings.catch_warnings():
            # torch wants an update before a step, and this process has made none yet
            warnings.simplefilter("ignore")
            scheduler.step(trainer.num_updates - trainer.schedule_lag)
        return
    scheduler.load_state_dict({**scheduler.state_dict(), **kept["lr_scheduler"]})
    groups = trainer.optimizer.param_groups
    for group, values in zip(groups, kept["parameter_groups"], strict=True):
        group.update(values)


def _only_plain(state: dict) -> dict:
    """Leave out functions and configurations, which belong to this run and not to its state."""
    return {key: value for key, value in state.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str, torch.Tensor))


def _values(value: SmoothedValue) -> dict:
    return {k: list(v) if isinstance(v, deque) else v for k, v in vars(value).items()}


def _smoothed(values: dict) -> SmoothedValue:
    result = SmoothedValue(values["window_size"])
    for name, value in values.items():
        is_window = isinstance(value, list)
        setattr(result, name, deque(value, values["window_size"]) if is_window else value)
    return result
