"""Progress bars on a terminal, for all trainers and both lines of MMF.

MMF reports training progress in log lines only, and shows its bar for test and predictions even
where the output is a file.
"""

import logging
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from mmf.utils.distributed import is_master
from torch import Tensor
from torch.optim import Optimizer
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.config.schemas.training import OwnTraining
from mmf_cmsbert.config.schemas.validation import read

# Without rate and time, so that the scores fit into 80 columns.
_WITH_SCORES = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}"


class ProgressBars:
    """Shows progress of updates and of evaluations, below the log lines.

    Args:
        shown: whether to show them; ``auto`` for only on a terminal.
    """

    def __init__(self, shown: bool | Literal["auto"]):
        self._disable = None if shown == "auto" else not shown
        self._updates: tqdm | None = None
        self._validation: tqdm | None = None

    @contextmanager
    def training(self, total: int | None, done: int) -> Iterator[None]:
        """Show the updates made in this block.

        Args:
            total: number of updates at the end of the run; None if unknown.
            done: number of updates already made by the resumed run.
        """
        bar = self._bar("training", "update", total, initial=done)
        loggers = [] if bar.disable else list(_console_loggers())
        with logging_redirect_tqdm(loggers), bar:
            self._updates = bar
            try:
                yield
            finally:
                self._updates = None
                if self._validation is not None:
                    self._validation.close()
                    self._validation = None

    def update(self, losses: Mapping[str, Tensor], optimizer: Optimizer) -> None:
        """Count one update. Losses are read, which waits for the device, only when displayed.

        Args:
            losses: the losses of the batch, whose sum is shown.
            optimizer: the optimizer, whose learning rate is shown.
        """
        bar = self._updates
        if bar is None or bar.disable:
            return
        if bar.update() or bar.n == bar.total:
            loss = float(sum(each.detach().mean() for each in losses.values()))
            rate = optimizer.param_groups[0]["lr"]
            bar.set_postfix(loss=f"{loss:.4f}", lr=f"{rate:.4g}")

    def batches(self, batches: Iterable[Any], split: str) -> Iterator[Any]:
        """Yield the batches of an evaluation and count them, during training in a second bar."""
        try:
            total = len(batches)  # type: ignore[arg-type]
        except TypeError:
            total = None
        if self._updates is None:
            with self._bar(split, "batch", total) as bar:
                for batch in batches:
                    yield batch
                    bar.update()
            return
        if self._validation is None:
            self._validation = self._bar(
                "validation", "batch", total, leave=False, bar_format=_WITH_SCORES
            )
        self._validation.reset(total)
        for batch in batches:
            yield batch
            self._validation.update()

    def validated(self, criterion: str, value: float, best: float, update: int) -> None:
        """Show the result of the last validation and of the best one.

        Args:
            criterion: the metric that selects the best validation.
            value: its value in the last validation.
            best: its value in the best validation.
            update: the update of the best validation.
        """
        if self._validation is not None:
            criterion = criterion.removeprefix("val/")
            values = f"{criterion} {value:.4f}, best {best:.4f} at update {update}"
            self._validation.set_postfix_str(values)

    def _bar(self, title: str, unit: str, total: int | None, **options: Any) -> tqdm:
        # tqdm itself shows nothing on a terminal that does not report its size.
        columns, lines = shutil.get_terminal_size()
        return tqdm(
            total=total,
            desc=title,
            unit=unit,
            mininterval=0.5,
            ncols=columns,
            nrows=lines,
            disable=self._disable,
            file=sys.stderr,
            **options,
        )


def configured(training: Mapping[str, Any]) -> ProgressBars:
    """Return the bars set by ``training.progress_bar``; only the first process shows them.

    Raises:
        ConfigError: the value is not auto, true or false.
    """
    given = {"progress_bar": training["progress_bar"]}
    shown = read(OwnTraining, given, "training").progress_bar
    return ProgressBars(shown if is_master() else False)


def _console_loggers() -> Iterator[logging.Logger]:
    """The loggers whose lines would break the bars; those of MMF's handler do not."""
    names = list(logging.root.manager.loggerDict)
    for logger in [logging.root, *map(logging.getLogger, names)]:
        if any(isinstance(handler, mmf_log.Console) for handler in logger.handlers):
            continue
        if any(getattr(h, "stream", None) in (sys.stdout, sys.stderr) for h in logger.handlers):
            yield logger
