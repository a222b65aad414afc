"""Checks of a run before and while it trains."""

from mmf_cmsbert.compat.mmf.splits import no_samples
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.config.splits import needed_splits
from mmf_cmsbert.errors import DataError, UserError


class LossIsNanError(UserError, RuntimeError):
    """The training loss is not a number. A RuntimeError too, as in main."""


class WeightsNotFiniteError(UserError, ArithmeticError):
    """The trained weights are NaN or infinite."""


class ChecksRun(TrainerSteps):
    """Ends a run that lacks a required split, or whose loss is not a number.

    rc10 loops forever over an empty training split, and continues training after a NaN loss.
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
            f"{self.current_epoch}); further updates cannot recover from this. Lower "
            "optimizer.params.lr, clip with training.clip_gradients=true "
            "training.max_grad_l2_norm=1, or find the operation with "
            "training.detect_anomaly=true. checkpoint.resume=true checkpoint.resume_best=true "
            "resumes from the best checkpoint."
        )


def weights_not_finite(update: int, names: list[str]) -> str:
    """Return the error message for weights that were not saved because they are not finite."""
    return (
        f"The weights are NaN or infinite at update {update} ({len(names)} tensors, {names[0]} "
        "first); they were not saved, and earlier checkpoints are unchanged. Lower "
        "optimizer.params.lr, clip with training.clip_gradients=true "
        "training.max_grad_l2_norm=1, or find the operation with training.detect_anomaly=true."
    )
