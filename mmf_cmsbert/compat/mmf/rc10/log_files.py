"""Log files on a full disk: one message, instead of a traceback for each line of the log."""

import logging
from typing import Any

from mmf.utils import logger

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.console.log_file import LogFile


@patch(
    "mmf.utils.logger.logging.FileHandler",
    "rc10",
    why="On a full disk each line of the log causes a traceback.",
    remove_when="MMF's log files report once that they cannot be written.",
)
def handlers() -> None:
    def file_handler(filename: str, mode: str = "a", **ignored: Any) -> logging.Handler:
        return logging.StreamHandler(LogFile(filename))

    logger.logging = imports.facade(logger.logging, FileHandler=file_handler)
