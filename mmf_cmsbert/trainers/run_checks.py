"""What is wrong with a run, in MMF's trainers of both lines, and what to type."""

from typing import Any

from mmf_cmsbert.config.splits import needed_splits
from mmf_cmsbert.errors import DataError, UserError


class LossIsNanError(UserError, RuntimeError):
    """The training loss is not a number; main raises a RuntimeError."""


class WeightsNotFiniteError(UserError, ArithmeticError):
    """Training made weights that are NaN or infinite."""


def check_splits(trainer: Any) -> None:
    """Raise a DataError if a split is empty that the run will need."""
    for split in needed_splits(trainer.run_type):
        loader = getattr(trainer, f"{split}_loader")
        if not loader.datasets:
            raise DataError(no_samples(loader))


def no_samples(loader: Any) -> str:
    """Say that the split of a loader of several datasets has nothing in it."""
    names = ", ".join(loader._given_datasets)
    return (
        f"There is no sample in the {loader.dataset_type} split of {names}. Name its files in "
        f"dataset_config.<dataset>.annotations.{loader.dataset_type}, or leave that split out of "
        "run_type."
    )


def empty_dataset(name: str, split: str) -> str:
    """Say that a dataset has a split without a sample."""
    return (
        f"The {split} split of dataset {name} is empty. Look at "
        f"dataset_config.{name}.annotations.{split}."
    )


def loss_is_nan(trainer: Any, update: int) -> str:
    """Say so, and where."""
    return (
        f"The training loss is nan at update {update} (epoch "
        f"{trainer.current_epoch}); no further update can mend that. Lower optimizer.params.lr, "
        "clip with training.clip_gradients=true training.max_grad_l2_norm=1, or let "
        "training.detect_anomaly=true name the operation. checkpoint.resume=true "
        "checkpoint.resume_best=true goes on from the best checkpoint."
    )


def weights_not_finite(update: int, names: list[str]) -> str:
    """Say so of a run's weights, before they are saved."""
    return (
        f"The weights are NaN or infinite at update {update} ({len(names)} tensors, {names[0]} "
        "first); they were not saved, and earlier checkpoints are unchanged. Lower "
        "optimizer.params.lr, clip with training.clip_gradients=true "
        "training.max_grad_l2_norm=1, or let training.detect_anomaly=true name the operation."
    )
