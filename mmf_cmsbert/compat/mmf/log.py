"""Write to MMF's log: through rc10's writer, or through Python's loggers on main."""

import logging

from mmf.common.registry import registry
from mmf.utils import logger

_logger = logging.getLogger("mmf_cmsbert")


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
    """Let the next run open log files of its own: main keeps each file open under its name."""
    if cached := getattr(logger, "_cached_log_stream", None):
        cached.cache_clear()
