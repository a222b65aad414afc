"""Log files on a full disk: one message, instead of a traceback for each line of the log."""

from functools import cache

from mmf.utils import logger

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.console.log_file import LogFile


@patch(
    "mmf.utils.logger._cached_log_stream",
    "main",
    why="On a full disk each line of the log causes a traceback.",
    remove_when="MMF's log files report once that they cannot be written.",
)
def streams() -> None:
    logger._cached_log_stream = cache(LogFile)
