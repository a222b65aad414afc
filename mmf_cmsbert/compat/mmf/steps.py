"""The steps of training as methods that a feature overrides, the same on both lines of MMF.

In MMF's two trainers these steps have different names, or are in the middle of a method. The class
``Trainer`` of each line calls the methods here, which by default do what MMF does. A feature is a
class that inherits from :class:`TrainerSteps`, overrides some of its methods or MMF's, and calls
``super()``. ``trainers/registered.py`` combines the features with the trainer.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import torch
from mmf.utils.checkpoint import Checkpoint
from mmf.utils.early_stopping import EarlyStopping
from torch import Tensor


class TrainerSteps:
    """The steps of a run, and the attributes that both of MMF's trainers have.

    Attributes:
        checkpoint_type: class of ``checkpoint``; called with the trainer.
        early_stopping_type: class of ``early_stopping``; arguments as for MMF's.
        schedule_lag: number of updates by which the learning rate schedule lags.
        accumulated: number of batches per update.
        scaler: the loss scaler in fp16, else None.
    """

    checkpoint_type: type = Checkpoint
    early_stopping_type: type = EarlyStopping
    schedule_lag = 0
    accumulated = 1
    scaler: Any = None

    if TYPE_CHECKING:
        config: Any
        training_config: Any
        run_type: str
        device: torch.device
        model: Any
        optimizer: Any
        lr_scheduler: Any
        metrics: Any
        meter: Any
        dataset_loader: Any
        train_loader: Any
        val_loader: Any
        test_loader: Any
        checkpoint: Any
        early_stopping: Any
        evaluation_interval: int
        num_updates: int
        current_iteration: int
        current_epoch: int
        max_updates: float

        def load_datasets(self) -> None: ...
        def parallelize_model(self) -> None: ...
        def train(self) -> None: ...
        def training_loop(self) -> None: ...
        def make_updates(self, continues_epoch: bool, stop: bool) -> None:
            """Make the remaining updates; arguments as returned by :meth:`resume_training`."""

        def finalize(self) -> None: ...
        def inference(self) -> None: ...
        def predict(self, dataset_type: str) -> None: ...
        def evaluate(
            self, loader: Any, use_tqdm: bool = False, single_batch: bool = False
        ) -> tuple[Any, Any]: ...
        def _forward_pass(self, batch: Any) -> Any: ...
        def _update_meter(self, report: Any, meter: Any, eval_mode: bool = False) -> None: ...
        def _try_full_validation(self, force: bool = False) -> bool: ...

    def make_checkpoint(self) -> Any:
        """Create the object that writes and loads the checkpoints of the run."""
        return self.checkpoint_type(self)

    def make_early_stopping(self, checkpoint: Any) -> Any:
        """Create the object that compares validations and decides when training stops."""
        stop = self.config.training.early_stop
        return self.early_stopping_type(
            self.model,
            checkpoint,
            stop.criteria,
            patience=stop.patience,
            minimize=stop.minimize,
            should_stop=stop.enabled,
        )

    def loss_scaler(self) -> Any:
        """Return the loss scaler for fp16; None if the loss is not scaled."""
        return None

    def checkpoint_loaded(self) -> None:
        """Run after a checkpoint, if any, is loaded and the schedule is built."""

    def resume_training(self) -> tuple[bool, bool]:
        """Prepare the first update of this process.

        Returns:
            Whether the epoch continues, and whether training stops immediately.
        """
        return False, False

    def total_updates(self) -> float:
        """Return the number of updates at the end of the run."""
        return self.max_updates

    def batch_groups(self) -> Iterator[list[Any]]:
        """Yield the batches of each update in an epoch."""
        return ([batch] for batch in self.train_loader)

    def shares(self, group: Sequence[Any]) -> list[float]:
        """Return the weight of each batch's loss in an update."""
        return [1.0] * len(group)

    def merge_reports(self, reports: Sequence[Any], shares: Sequence[float]) -> Any:
        """Return the report of an update, from those of its batches."""
        return reports[-1]

    def update_made(self, report: Any) -> None:
        """Run after an update, before it is logged."""

    def after_update(self) -> None:
        """Run after an update is logged and saved, before a validation."""

    def loss_is_nan(self, update: int) -> None:
        """Run if the loss of an update is not a number."""

    def validated(self, criterion: str, value: float, best: float, update: int) -> None:
        """Run after a validation.

        Args:
            criterion: name of the metric that selects the best validation.
            value: its value in this validation.
            best: its value in the best validation.
            update: the update of the best validation.
        """

    def norm_writer(self) -> Any:
        """Create the object that MMF's trainer gives values for TensorBoard to; None without."""
        return None

    def measured(self, entry: Any) -> None:
        """Called with losses and validations as the history of a run has them.

        Args:
            entry: a ``Training``, on all processes, or a ``Validation``, on the first one; see
                :mod:`mmf_cmsbert.records.history`.
        """

    def evaluating(self) -> AbstractContextManager[Any]:
        """Return a context for computing without gradients."""
        return torch.no_grad()

    def with_progress(self, batches: Iterable[Any], split: str) -> Iterable[Any]:
        """Return an iterable over the batches of an evaluation or prediction, with progress."""
        return batches

    def add_losses(self, whole: dict[str, Tensor], part: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the losses in an evaluation's report after adding those of a batch."""
        return whole
