"""Early stopping that resumes from a checkpoint and lists the valid criteria."""

from collections.abc import Mapping
from typing import Any

from mmf.utils.distributed import is_master
from mmf.utils.early_stopping import EarlyStopping

from mmf_cmsbert.errors import ConfigError


class ResumableEarlyStopping(EarlyStopping):
    """MMF's early stopping with a state that is restored from a checkpoint.

    Differences from rc10's:

    - The update of the best value, from which patience counts, is restored.
    - The best value of another run is ignored where counts are reset.
    - A checkpoint is also written when training stops. Without it, resuming a finished run would
      repeat its last updates.
    - The best weights are not restored here. rc10 restores them on the first process only, which
      then waits for the others at a barrier. The end of the run restores them on all processes.
    """

    last_evaluated_update = 0
    best_monitored_value: float
    best_monitored_update: int
    best_monitored_iteration: int
    activated: bool

    def __call__(self, update: int, iteration: int, meter: Any) -> bool:
        """Save a checkpoint, also as the best one if it is; return whether training stops."""
        self.last_evaluated_update = update
        if not is_master():
            return False
        value = _monitored(self.early_stop_criteria, meter)
        best = self.best_monitored_value
        improved = value < best if self.minimize else value > best
        if improved:
            self.best_monitored_value = value
            self.best_monitored_iteration = iteration
            self.best_monitored_update = update
        self.checkpoint.trainer.validated(
            self.early_stop_criteria, value, self.best_monitored_value, self.best_monitored_update
        )
        over = self.is_over()
        self.activated = self.activated or over
        self.checkpoint.save(update, iteration, update_best=improved)
        return over and self.should_stop is True

    def is_over(self) -> bool:
        """Return whether the best evaluation is more than `patience` updates before the last."""
        return bool(self.best_monitored_update + self.patience < self.last_evaluated_update)

    def init_from_checkpoint(self, load: Mapping[str, Any]) -> None:
        """Restore the best evaluation from a checkpoint, unless counts are reset."""
        reset = self.checkpoint.config.checkpoint.reset
        if reset.all or reset.counts:
            return
        self.best_monitored_iteration = load.get("best_iteration", self.best_monitored_iteration)
        self.best_monitored_update = load.get("best_update", self.best_monitored_update)
        self.best_monitored_value = load.get("best_metric_value", self.best_monitored_value)


def _monitored(criterion: str, meter: Any) -> float:
    if criterion not in meter.meters:
        known = sorted(name.removeprefix("val/") for name in meter.meters)
        raise ConfigError(
            f"training.early_stop.criteria={criterion.removeprefix('val/')}: the validation does "
            f"not compute this value. It computes: {', '.join(known)}. Add metrics with "
            "evaluation.metrics."
        )
    return float(meter.meters[criterion].global_avg)
