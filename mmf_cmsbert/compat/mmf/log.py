"""MMF's log: written through rc10's writer, or through Python's loggers on main.

All of it goes to the log file in the run's folder. A terminal, where a run is shown by
:mod:`mmf_cmsbert.trainers.summary`, gets warnings and errors only. A file or a pipe gets every line
but those of a block of :func:`file_only`. With ``training.verbose`` both get everything.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from mmf.common.registry import registry
from mmf.utils import logger
from tqdm import tqdm

_logger = logging.getLogger("mmf_cmsbert")
_file_only: ContextVar[bool] = ContextVar("file_only", default=False)
_verbose = False
_held: list[str] = []


def write(message: object, level: str = "info") -> None:
    """Write a line to the log of the run.

    Args:
        message: the line.
        level: a level of Python's loggers, such as info or warning.
    """
    writer = registry.get("writer", no_warning=True)
    if hasattr(writer, "write"):  # main registers a logger instead
        writer.write(message, level)
    else:
        _logger.log(getattr(logging, level.upper()), message)


def close_files() -> None:
    """Close main's cached log files, so that the next run opens new ones."""
    if cached := getattr(logger, "_cached_log_stream", None):
        cached.cache_clear()


@contextmanager
def file_only() -> Iterator[None]:
    """Write log lines of this block, such as a model's layers, to the log file only."""
    token = _file_only.set(True)
    try:
        yield
    finally:
        _file_only.reset(token)


def stream() -> TextIO:
    """Return standard output, even if rc10 redirects it to the log."""
    return sys.stdout if hasattr(sys.stdout, "isatty") else sys.__stdout__ or sys.stderr


def be_verbose(value: bool) -> None:
    """Set whether the console shows everything, until MMF has read ``training.verbose``."""
    global _verbose
    _verbose = value


def is_summed_up() -> bool:
    """Return whether the console shows a summary of the run instead of MMF's log."""
    return stream().isatty() and not _is_verbose()


def printed(*values: Any, **options: Any) -> None:
    """Replace MMF's print: write to the log file if the console shows a summary."""
    if is_summed_up():
        _held.append(" ".join(map(str, values)))
    else:
        print(*values, **options)


def write_held() -> None:
    """Write lines that were printed before the log file existed to the log file."""
    lines, _held[:] = list(_held), []
    for line in lines:
        write(line)


class Console(logging.StreamHandler):  # type: ignore[type-arg]  # no generic in Python 3.10
    """The handler that writes MMF's log to standard output, above progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        with tqdm.external_write_mode(file=self.stream):
            super().emit(record)

    def filter(self, record: logging.LogRecord) -> Any:
        if record.levelno < logging.WARNING and (_is_for_the_file() or is_summed_up()):
            return False
        return super().filter(record)


def _is_for_the_file() -> bool:
    return _file_only.get() and not _is_verbose()


def _is_verbose() -> bool:
    if _verbose:
        return True
    config = registry.get("config", no_warning=True)
    return bool(config is not None and (config.get("training") or {}).get("verbose"))
