"""The part of MMF's log that the console shows."""

import logging
import sys
from typing import Any

from mmf.utils import logger

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import log
from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.utils.logger.logging.StreamHandler",
    why="A terminal shows the layers of the model and all lines of numbers.",
    remove_when="MMF's log has a level for lines that are only written to its file.",
)
def console_handler() -> None:
    def stream_handler(stream: Any = None) -> logging.Handler:
        to_console = stream in (sys.stdout, sys.__stdout__)
        return log.Console(stream) if to_console else logging.StreamHandler(stream)

    logger.logging = imports.facade(logger.logging, StreamHandler=stream_handler)
