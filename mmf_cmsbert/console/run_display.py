"""What a person sees of a run: its facts, a line a validation, and a closing table."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

_INDENT = 2
# Columns of the validations: heading, width.
_COLUMNS = (("update", 8), ("epoch", 7), ("train loss", 12), ("val loss", 10))


@dataclass(frozen=True)
class ValidationLine:
    """A validation.

    Attributes:
        update, epoch: when it was made.
        train_loss: mean since the last one; None where it is not known.
        val_loss: of the whole split.
        criterion: what the best validation is chosen by: name, value.
        is_best: whether it is the best one so far.
        seconds: since the run began.
    """

    update: int
    epoch: int
    train_loss: float | None
    val_loss: float | None
    criterion: tuple[str, float]
    is_best: bool
    seconds: float


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        headline: one line.
        scores: column, such as ``test`` -> metric -> value.
        paths: what -> path, of what the run leaves.
        next_commands: what to type next: what it does -> the command.
    """

    headline: str
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    next_commands: Mapping[str, str] = field(default_factory=dict)


class RunDisplay:
    """Shows a run on a stream, in colours where that is a terminal.

    Args:
        stream: where.
    """

    def __init__(self, stream: TextIO):
        # Without a terminal there is no width at which to break lines.
        self._terminal = stream.isatty()
        width = None if self._terminal else 200
        self._console = Console(file=stream, width=width, highlight=False, emoji=False)
        self._lines = 0

    def begin(self, facts: Mapping[str, str]) -> None:
        """Show what is about to run: name -> value."""
        first = max(map(len, facts), default=0) + 2
        width = max(self._console.width - first, 20)
        with self._above_bars():
            for name, value in facts.items():
                lines = wrap(value, width, break_long_words=False) if self._terminal else [value]
                for line in lines:
                    self._write((f"{name:<{first}}", "cyan"), line)
                    name = ""

    def validated(self, line: ValidationLine) -> None:
        """Show a validation, the first one below the headings."""
        name, value = line.criterion
        width = max(len(name) + 2, 12)
        losses = (_number(each) for each in (line.train_loss, line.val_loss))
        cells = [str(line.update), str(line.epoch), *losses]
        parts = [f"{each:>{size}}" for each, (_, size) in zip(cells, _COLUMNS, strict=True)]
        with self._above_bars():
            if not self._lines:
                headings = "".join(f"{title:>{size}}" for title, size in _COLUMNS)
                self._write()
                self._write((f"{headings}{name:>{width}}      {'time':>9}", "bold"))
            self._write(
                "".join(parts),
                (f"{_number(value):>{width}}", "bold green" if line.is_best else ""),
                ("  best" if line.is_best else "      ", "green"),
                (f"{duration(line.seconds):>9}", "dim"),
            )
        self._lines += 1

    def end(self, ending: Ending) -> None:
        """Show how the run ended."""
        with self._above_bars():
            self._write()
            self._write((ending.headline, "bold"))
            if ending.scores:
                self._console.print(_scores(ending.scores))
            rows = {**ending.paths, **ending.next_commands}
            width = max(map(len, rows), default=0) + 2
            if ending.scores and rows:
                self._write()
            for name, value in rows.items():
                self._write((f"{name:<{width}}", "cyan"), value)

    def _write(self, *parts: str | tuple[str, str]) -> None:
        """Write one line, however long: a path or a command is to be copied."""
        self._console.print(Text.assemble(*parts), soft_wrap=True)

    @contextmanager
    def _above_bars(self) -> Iterator[None]:
        from tqdm import tqdm

        with tqdm.external_write_mode(file=self._console.file):
            yield


def duration(seconds: float) -> str:
    """Seconds as ``1:02:03``, or ``2:03`` below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _scores(scores: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(box=None, padding=(0, 0, 0, _INDENT))
    table.add_column("")
    for column in scores:
        table.add_column(column, justify="right")
    for name in _names(list(scores.values())):
        table.add_row(name, *(_number(each.get(name)) for each in scores.values()))
    return table


def _names(columns: Sequence[Mapping[str, float]]) -> list[str]:
    """The metrics of all columns, in their order."""
    return list(dict.fromkeys(name for each in columns for name in each))
