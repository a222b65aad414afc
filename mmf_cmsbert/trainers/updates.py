"""A run of MMF as pytorch-lightning sees it: module, batches, and what follows an update."""

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
    """What a trainer of MMF has to offer."""

    model: nn.Module
    optimizer: Optimizer

    def groups(self) -> Iterator[list[Any]]:
        """The batches of each update that is left."""

    def updates_left(self) -> int:
        """How many updates that are."""

    def begin_update(self, group: list[Any]) -> list[float]:
        """The factor of each batch's loss; they add up to 1."""

    def loss(self, batch: Any) -> Tensor:
        """The loss of a batch; its mean over all processes is that of all their samples."""

    def clip(self) -> None:
        """Clip the gradients, if the configuration says so."""

    def updated(self) -> bool:
        """Log, validate and save what is due after an update; whether training shall stop."""


class Updates(lightning.LightningModule):
    """The model of a run; Lightning scales its loss, shares its gradients and makes its updates.

    Lightning's own accumulation counts each batch alike, also a smaller one, divides what an epoch
    leaves over by the number of batches of a full update, and does not know where epochs end.

    Args:
        run: the run.
    """

    def __init__(self, run: RunSteps):
        super().__init__()
        self.automatic_optimization = False
        self.run = run
        self.model = run.model
        # Told to look for parameters without a part in the loss, torch warns where it finds none.
        self.without_part = nn.Parameter(torch.zeros(()))

    def training_step(self, group: list[Any], index: int) -> None:
        optimizer = self.optimizers()
        optimizer.zero_grad()
        for left, batch, share in zip(
            range(len(group) - 1, -1, -1), group, self.run.begin_update(group), strict=True
        ):
            with self._unshared() if left else nullcontext():
                loss = self.run.loss(batch)
                # Lightning runs this method under autocast, which is for forward passes.
                with torch.autocast(loss.device.type, enabled=False):
                    self.manual_backward(loss if share == 1 else loss * share)
        optimizer.step()

    def _unshared(self) -> AbstractContextManager[Any]:
        """A context in which gradients are added up, and not shared with other processes."""
        strategy = self.trainer.strategy
        several = isinstance(strategy, ParallelStrategy)
        return strategy.block_backward_sync() if several else nullcontext()

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        self.run.clip()

    def configure_optimizers(self) -> Optimizer:
        return self.run.optimizer

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        return batch  # MMF's datasets do so, when they prepare a batch


class Groups:
    """The batches of each update that is left, as one pass.

    Lightning looks one step ahead where it is not told how many there are; that would be one too
    many when a run is to be taken up exactly where it was left.
    """

    def __init__(self, run: RunSteps):
        self.run = run

    def __iter__(self) -> Iterator[list[Any]]:
        return self.run.groups()

    def __len__(self) -> int:
        return self.run.updates_left()


class AfterUpdates(lightning.Callback):
    """Hands over to the run after each update, and keeps what went wrong."""

    def __init__(self, run: RunSteps):
        self.run = run
        self.exception: BaseException | None = None

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *args: Any) -> None:
        if self.run.updated():
            trainer.should_stop = True

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        self.exception = exception


def fit(trainer: lightning.Trainer, run: RunSteps) -> None:
    """Make the updates of a run that are left.

    Args:
        trainer: a Trainer that has not trained yet.
        run: the run.
    """
    after = AfterUpdates(run)
    trainer.callbacks.append(after)
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            # Between Lightning and torch
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)")
            # The averaged copy of a model always computes in evaluation mode.
            warnings.filterwarnings("ignore", r"Found \d+ module\(s\) in eval mode")
            trainer.fit(Updates(run), Groups(run))
    except SystemExit:
        # Lightning makes an exit of Ctrl-C, and switches it off.
        signal.signal(signal.SIGINT, on_interrupt)
        if isinstance(after.exception, KeyboardInterrupt):
            raise after.exception from None
        raise
