"""Progress bars for a person who watches, under all trainers and on both lines of MMF.

MMF tells how far training is in log lines alone, and has a bar for test and predictions also where
they end in a file.
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

from mmf_cmsbert.config.schemas.training import OwnTraining
from mmf_cmsbert.config.schemas.validation import read

# Without rate and time, so that there is room for the scores in 80 columns.
_WITH_SCORES = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}"


class ProgressBars:
    """Counts updates and the batches of evaluations; log lines scroll by above them.

    Args:
        shown: whether they are shown at all; ``auto``: where a terminal watches.
    """

    def __init__(self, shown: bool | Literal["auto"]):
        self._disable = None if shown == "auto" else not shown
        self._updates: tqdm | None = None
        self._validation: tqdm | None = None

    @contextmanager
    def training(self, total: int | None, done: int) -> Iterator[None]:
        """Count updates in this block.

        Args:
            total: updates until the end, None where that is not known.
            done: updates made before, by the run that this one resumes.
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
        """One update more. The losses are only asked for, which waits for the device, once shown.

        Args:
            losses: those of the batch, whose sum was trained.
            optimizer: has the learning rate.
        """
        bar = self._updates
        if bar is None or bar.disable:
            return
        if bar.update() or bar.n == bar.total:
            loss = float(sum(each.detach().mean() for each in losses.values()))
            rate = optimizer.param_groups[0]["lr"]
            bar.set_postfix(loss=f"{loss:.4f}", lr=f"{rate:.4g}")

    def batches(self, batches: Iterable[Any], split: str) -> Iterator[Any]:
        """The batches of an evaluation, counted; during training below the updates."""
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
        """Say what the validation that was counted last gave, and which is the best so far.

        Args:
            criterion: what the best one is chosen by.
            value, best: of the last validation and of the best one.
            update: when that was.
        """
        if self._validation is not None:
            criterion = criterion.removeprefix("val/")
            values = f"{criterion} {value:.4f}, best {best:.4f} at update {update}"
            self._validation.set_postfix_str(values)

    def _bar(self, title: str, unit: str, total: int | None, **options: Any) -> tqdm:
        # tqdm itself shows nothing on a terminal that does not say how large it is.
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
    """The bars that ``training.progress_bar`` wants, which only the first process shows.

    Raises:
        ConfigError: it says neither auto nor true nor false.
    """
    given = {"progress_bar": training["progress_bar"]}
    shown = read(OwnTraining, given, "training").progress_bar
    return ProgressBars(shown if is_master() else False)


def _console_loggers() -> Iterator[logging.Logger]:
    names = list(logging.root.manager.loggerDict)
    for logger in [logging.root, *map(logging.getLogger, names)]:
        if any(getattr(h, "stream", None) in (sys.stdout, sys.stderr) for h in logger.handlers):
            yield logger
