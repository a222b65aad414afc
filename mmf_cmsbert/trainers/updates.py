"""A run of MMF as pytorch-lightning sees it: module, batches, and what follows an update."""

import signal
import warnings
from collections.abc import Iterator
from typing import Any, Protocol

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class Run(Protocol):
    """What a trainer of MMF has to offer."""

    model: nn.Module
    optimizer: Optimizer

    def batches(self) -> Iterator[Any]:
        """The training batches of all epochs that are left."""

    def batches_left(self) -> int:
        """How many that are, or may be at most."""

    def loss(self, batch: Any) -> Tensor:
        """The loss of a batch; its mean over all processes is that of all their samples."""

    def clip(self) -> None:
        """Clip the gradients, if the configuration says so."""

    def updated(self) -> bool:
        """Log, validate and save what is due after an update; whether training shall stop."""


class Updates(lightning.LightningModule):
    """The model of a run; Lightning's part is what becomes of its loss.

    Args:
        run: the run.
    """

    def __init__(self, run: Run):
        super().__init__()
        self.run = run
        self.model = run.model
        # Told to look for parameters without a part in the loss, torch warns where it finds none.
        self.without_part = nn.Parameter(torch.zeros(()))

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        return self.run.loss(batch)

    def configure_optimizers(self) -> Optimizer:
        return self.run.optimizer

    def configure_gradient_clipping(self, *args: Any, **kwargs: Any) -> None:
        self.run.clip()

    def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
        return batch  # MMF's datasets do so, when they prepare a batch


class Batches:
    """The training batches of all epochs that are left, as one pass.

    Lightning looks one batch ahead where it is not told how many there are; that would be one
    batch too many when a run is to be taken up exactly where it was left.
    """

    def __init__(self, run: Run):
        self.run = run

    def __iter__(self) -> Iterator[Any]:
        return self.run.batches()

    def __len__(self) -> int:
        return self.run.batches_left()


class AfterUpdates(lightning.Callback):
    """Hands over to the run after each update, and keeps what went wrong."""

    def __init__(self, run: Run):
        self.run = run
        self.updates = 0
        self.exception: BaseException | None = None

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *args: Any) -> None:
        if trainer.global_step == self.updates:
            return  # gradients are accumulated
        self.updates = trainer.global_step
        if self.run.updated():
            trainer.should_stop = True

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        self.exception = exception


def fit(trainer: lightning.Trainer, run: Run) -> None:
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
            trainer.fit(Updates(run), Batches(run))
    except SystemExit:
        # Lightning makes an exit of Ctrl-C, and switches it off.
        signal.signal(signal.SIGINT, on_interrupt)
        if isinstance(after.exception, KeyboardInterrupt):
            raise after.exception from None
        raise
