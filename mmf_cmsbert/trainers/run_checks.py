"""Checks of a run before and while it trains."""

from mmf_cmsbert.compat.mmf.splits import no_samples
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.config.splits import needed_splits
from mmf_cmsbert.errors import DataError, UserError


class LossIsNanError(UserError, RuntimeError):
    """The training loss is not a number; main raises a RuntimeError."""


class WeightsNotFiniteError(UserError, ArithmeticError):
    """Training made weights that are NaN or infinite."""


class ChecksRun(TrainerSteps):
    """Ends a run that lacks a split that it needs, or whose loss is not a number.

    rc10 loops for ever over an empty training split, and trains on after the loss is NaN.
    """

    def load_datasets(self) -> None:
        super().load_datasets()
        for split in needed_splits(self.run_type):
            loader = getattr(self, f"{split}_loader")
            if not loader.datasets:
                raise DataError(no_samples(loader))

    def loss_is_nan(self, update: int) -> None:
        raise LossIsNanError(
            f"The training loss is nan at update {update} (epoch "
            f"{self.current_epoch}); no further update can mend that. Lower optimizer.params.lr, "
            "clip with training.clip_gradients=true training.max_grad_l2_norm=1, or let "
            "training.detect_anomaly=true name the operation. checkpoint.resume=true "
            "checkpoint.resume_best=true resumes from the best checkpoint."
        )


def weights_not_finite(update: int, names: list[str]) -> str:
    """Say so of a run's weights, before they are saved."""
    return (
        f"The weights are NaN or infinite at update {update} ({len(names)} tensors, {names[0]} "
        "first); they were not saved, and earlier checkpoints are unchanged. Lower "
        "optimizer.params.lr, clip with training.clip_gradients=true "
        "training.max_grad_l2_norm=1, or let training.detect_anomaly=true name the operation."
    )
