"""Adapters of an MMF run to pytorch-lightning: module, batches, and callback after an update."""

import signal
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import pytorch_lightning as lightning
import torch
from pytorch_lightning.strategies import ParallelStrategy
from torch import Tensor, nn
from torch.optim import Optimizer


class RunSteps(Protocol):
    """The interface of a trainer whose updates are made by Lightning."""

    model: nn.Module
    optimizer: Optimizer

    def groups(self) -> Iterator[list[Any]]:
        """Yield the batches of each remaining update."""

    def updates_left(self) -> int:
        """Return the number of remaining updates."""

    def begin_update(self, group: list[Any]) -> list[float]:
        """Start an update; return the weight of each batch's loss, which sum to 1."""

    def loss(self, batch: Any) -> Tensor:
        """Return a batch's loss; the mean over the processes is the mean over all samples."""

    def clip(self) -> None:
        """Clip the gradients, if configured."""

    def updated(self) -> bool:
        """Log, validate and save if due after an update; return whether training stops."""


class Updates(lightning.LightningModule):
    """The model of a run; Lightning scales its loss, reduces its gradients and makes its updates.

    Lightning's accumulation is not used. It weights each batch equally even if one is smaller,
    divides the incomplete last update of an epoch by the full number of batches, and does not know
    where epochs end.

    Args:
        run: the run.
    """

    def __init__(self, run: RunSteps):
        super().__init__()
        self.automatic_optimization = False
        self.run = run
        self.model = run.model
        # With find_unused_parameters, torch warns if every parameter is used.
        self.unused = nn.Parameter(torch.zeros(()))

    def training_step(self, group: list[Any], index: int) -> None:
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        for left, batch, share in zip(
            range(len(group) - 1, -1, -1), group, self.run.begin_update(group), strict=True
        ):
            with self._unshared() if left else nullcontext():
                loss = self.run.loss(batch)
                # Lightning runs this method under autocast, which is only for forward passes.
                with torch.autocast(loss.device.type, enabled=False):
                    self.manual_backward(loss if share == 1 else loss * share)
        optimizer.step()

    def _unshared(self) -> AbstractContextManager[Any]:
        """Return a context that accumulates gradients without reducing them over processes."""
        strategy: Any = self.trainer.strategy
        several = isinstance(strategy, ParallelStrategy)
        return strategy.block_backward_sync() if several else nullcontext()

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        self.run.clip()

    def configure_optimizers(self) -> Optimizer:
        return self.run.optimizer

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        return batch  # MMF's datasets move it when they prepare a batch


class Groups:
    """The batches of each remaining update, as one epoch of Lightning.

    Without a length, Lightning prefetches one step; a checkpoint would then hold a position that is
    one step too far.
    """

    def __init__(self, run: RunSteps):
        self.run = run

    def __iter__(self) -> Iterator[list[Any]]:
        return self.run.groups()

    def __len__(self) -> int:
        return self.run.updates_left()


class AfterUpdates(lightning.Callback):
    """Calls the run after each update, and keeps an exception."""

    def __init__(self, run: RunSteps):
        self.run = run
        self.exception: BaseException | None = None

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *args: Any) -> None:
        if self.run.updated():
            trainer.should_stop = True

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        self.exception = exception


def fit(trainer: Any, run: RunSteps) -> None:
    """Make the remaining updates of a run.

    Args:
        trainer: Lightning's Trainer, which has not trained yet.
        run: the run.
    """
    after = AfterUpdates(run)
    trainer.callbacks.append(after)
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            # From Lightning's use of torch
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)")
            # The averaged copy of the model is always in evaluation mode.
            warnings.filterwarnings("ignore", r"Found \d+ module\(s\) in eval mode")
            trainer.fit(Updates(run), Groups(run))
    except SystemExit:
        # Lightning turns Ctrl-C into SystemExit, and removes the handler.
        signal.signal(signal.SIGINT, on_interrupt)
        if isinstance(after.exception, KeyboardInterrupt):
            raise after.exception from None
        raise
