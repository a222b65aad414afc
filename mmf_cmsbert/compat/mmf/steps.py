"""Steps that the trainers of both lines take, as methods that a feature overrides.

MMF's two trainers take them under different names, or in the middle of a method. The class
``Trainer`` of each line calls the methods here, which by default do what MMF does. A feature is a
class that inherits from :class:`TrainerSteps`, overrides some of its methods or MMF's, and calls
``super()``; ``trainers/registered.py`` puts the features in front of the trainer.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import torch
from mmf.utils.checkpoint import Checkpoint
from mmf.utils.early_stopping import EarlyStopping
from torch import Tensor


class TrainerSteps:
    """The steps of a run, and what both of MMF's trainers have.

    Attributes:
        checkpoint_type: class of ``checkpoint``; called with the trainer.
        early_stopping_type: class of ``early_stopping``; arguments as for MMF's.
        schedule_lag: updates by which the learning rate schedule is behind.
        accumulated: batches in an update.
        scaler: scales the loss in 16 bits, or None.
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
        max_updates: int

        def load_datasets(self) -> None: ...
        def parallelize_model(self) -> None: ...
        def train(self) -> None: ...
        def training_loop(self) -> None: ...
        def make_updates(self, goes_on: bool, stop: bool) -> None:
            """Make the updates that are left; arguments as :meth:`take_up` returns them."""

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
        """What writes and loads the checkpoints of the run."""
        return self.checkpoint_type(self)

    def make_early_stopping(self, checkpoint: Any) -> Any:
        """What compares validations and decides when training stops."""
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
        """What scales the loss in 16 bits; None without."""
        return None

    def checkpoint_loaded(self) -> None:
        """Called when a checkpoint, if any, is loaded, and the schedule is built."""

    def take_up(self) -> tuple[bool, bool]:
        """Called before the first update.

        Returns:
            Whether the epoch continues, and whether training stops at once.
        """
        return False, False

    def all_updates(self) -> float:
        """Updates at the end of the run."""
        return self.max_updates

    def batch_groups(self) -> Iterator[list[Any]]:
        """The batches of each update in an epoch."""
        return ([batch] for batch in self.train_loader)

    def shares(self, group: Sequence[Any]) -> list[float]:
        """The factor of each loss of an update."""
        return [1.0] * len(group)

    def joined(self, reports: Sequence[Any], shares: Sequence[float]) -> Any:
        """The report of an update from those of its batches."""
        return reports[-1]

    def update_made(self, report: Any) -> None:
        """Called after an update, before it is logged."""

    def after_update(self) -> None:
        """Called after an update is logged and saved, before a validation."""

    def loss_is_nan(self, update: int) -> None:
        """Called where the loss of an update is not a number."""

    def validated(self, criterion: str, value: float, best: float, update: int) -> None:
        """Called with the result of a validation.

        Args:
            criterion: name of the metric that the best one is chosen by.
            value: of this validation.
            best: of the best validation.
            update: of the best validation.
        """

    def evaluating(self) -> AbstractContextManager[Any]:
        """A context for what is computed without gradients."""
        return torch.no_grad()

    def shown(self, batches: Iterable[Any], split: str) -> Iterable[Any]:
        """The batches of an evaluation or prediction, as they are gone through."""
        return batches

    def add_losses(self, whole: dict[str, Tensor], part: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses in the report of an evaluation after one batch more."""
        return whole
