"""MMF's log: rc10 shows what goes through its writer, main what goes through Python's loggers."""

import logging

from mmf.common.registry import registry
from mmf.utils import logger

_logger = logging.getLogger("mmf_cmsbert")


def write(message: object, level: str = "info") -> None:
    """Write a line to the log of the run; `level` is info, warning or the like."""
    writer = registry.get("writer", no_warning=True)
    if hasattr(writer, "write"):  # main registers a logger under that name
        writer.write(message, level)
    else:
        _logger.log(getattr(logging, level.upper()), message)


def close_files() -> None:
    """Let the next run open log files of its own: main keeps each file open under its name."""
    if cached := getattr(logger, "_cached_log_stream", None):
        cached.cache_clear()
