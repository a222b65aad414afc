"""Exact resuming: a resumed run ends with the same numbers as an uninterrupted one."""

from pathlib import Path
from typing import Any

from mmf.common.registry import registry

from mmf_cmsbert.checkpoints import generators, position
from mmf_cmsbert.checkpoints.fit import fitting
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.trainers.early_stopping import ResumableEarlyStopping
from mmf_cmsbert.trainers.run_checkpoint import RunCheckpoint


class ResumesExactly(TrainerSteps):
    """Restores the position in the data, the generators, the schedule and early stopping.

    MMF resumes at the beginning of an epoch with a new shuffle and new generator states, and skips
    an evaluation that was due when the checkpoint was written. rc10 also restarts the learning
    rate schedule.
    """

    checkpoint_type = RunCheckpoint
    early_stopping_type = ResumableEarlyStopping
    resume_position: dict[str, Any] | None = None
    resume_file: Path | None = None

    def resume_from(self, kept: dict[str, Any] | None, file: Path) -> None:
        """Restore the position from a checkpoint whose weights and counts are loaded.

        Args:
            kept: the position; None if the checkpoint has none.
            file: the checkpoint.
        """
        if kept is None:
            mmf_log.write(
                f"Resuming from {file}, update {self.num_updates}, without the position in the "
                "epoch (the checkpoint was written by MMF alone, or checkpoint.reset drops it). "
                "The data is shuffled again, and the results differ from those of an "
                "uninterrupted run.",
                "warning",
            )
            return
        position.restore_counts(self, kept)
        registry.register("num_updates", self.num_updates)
        registry.register("current_iteration", self.current_iteration)
        self.resume_position, self.resume_file = kept, file
        batches = position.batches_done(kept)
        done = "done" if batches is None else f"with {batches} batches done"
        mmf_log.write(
            f"Resuming from {file}: update {self.num_updates}, epoch {self.current_epoch} {done}"
        )

    def checkpoint_loaded(self) -> None:
        super().checkpoint_loaded()
        # Not earlier, because building the scheduler sets the learning rates of update 0.
        with fitting(self.resume_file):
            if self.resume_position:
                position.check(self, self.resume_position)
            self._position_schedule()

    def _position_schedule(self) -> None:
        kept = self.resume_position
        if self.lr_scheduler is None or self.num_updates == 0:
            return
        if kept is None and self.checkpoint.has_schedule:
            return
        reset = self.config.checkpoint.reset
        if kept is None or kept["lr_scheduler"] is None or reset.optimizer or reset.all:
            position.step_schedule(self)
        else:
            position.restore_schedule(self, kept)

    def resume_training(self) -> tuple[bool, bool]:
        """Restore the generators and the position in the training data.

        Then run the evaluation that was due when the checkpoint was written, if any.

        Returns:
            Whether the epoch continues, and whether training stops immediately.
        """
        kept, self.resume_position = self.resume_position, None
        if kept is None:
            return super().resume_training()
        with fitting(self.resume_file):
            generators.restore(kept["generators"])
            continues_epoch = kept["epoch"] is not None and self.train_loader.resume_epoch(
                kept["epoch"]
            )
        stopping = self.early_stopping
        due = self.num_updates % self.evaluation_interval == 0
        if due and stopping.last_evaluated_update != self.num_updates:
            return continues_epoch, self._try_full_validation()
        return continues_epoch, stopping.should_stop is True and stopping.is_over()

    def _try_full_validation(self, force: bool = False) -> bool:
        # A resumed run may have been evaluated at this update before it was interrupted.
        if force and self.early_stopping.last_evaluated_update == self.num_updates:
            return False
        return super()._try_full_validation(force)
