"""A progress bar with loss and learning rate, where a person watches."""

import logging
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm


class ProgressBar:
    """Counts updates, with their rate and the time left; log lines scroll by above it.

    Args:
        total: updates until the end, None where that is not known.
        done: updates made before, by a run that this one goes on with.
        shown: whether it is shown at all; None: where a terminal watches.
    """

    def __init__(self, total: int | None, done: int, shown: bool | None):
        # tqdm itself shows nothing on a terminal that does not say how large it is.
        columns, lines = shutil.get_terminal_size()
        self._bar = tqdm(
            total=total,
            initial=done,
            desc="training",
            unit="update",
            mininterval=0.5,
            ncols=columns,
            nrows=lines,
            disable=None if shown is None else not shown,
            file=sys.stderr,
        )

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show it in this block."""
        loggers = [] if self._bar.disable else list(_console_loggers())
        with logging_redirect_tqdm(loggers), self._bar:
            yield

    def update(self, loss: Tensor, learning_rate: float) -> None:
        """One update more. The loss is only asked for, which waits for the device, once shown."""
        if self._bar.update():
            self._bar.set_postfix(loss=f"{float(loss):.4f}", lr=f"{learning_rate:.4g}")


def _console_loggers() -> Iterator[logging.Logger]:
    names = list(logging.root.manager.loggerDict)
    for logger in [logging.root, *map(logging.getLogger, names)]:
        if any(getattr(h, "stream", None) in (sys.stdout, sys.stderr) for h in logger.handlers):
            yield logger
