"""What a run changes in its process, and what is put back when it ends."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Of these loggers MMF and this package change handlers and levels.
_CHANGED = ("mmf", "mmf_cli", "mmf_cmsbert", "py", "stdout")


@contextmanager
def restored() -> Iterator[None]:
    """Put back argv, output streams, warnings, logging, MMF's registry, random numbers and threads.

    A command needs none of this, because its process ends with the run.
    """
    import torch
    from mmf.common.registry import registry
    from mmf.utils.env import setup_imports

    from mmf_cmsbert.checkpoints import generators
    from mmf_cmsbert.compat.mmf import log

    setup_imports()  # what it registers stays
    state: dict[str, Any] = registry.mapping["state"]
    before, argv, streams = dict(state), sys.argv, (sys.stdout, sys.stderr)
    numbers, threads = generators.capture(), torch.get_num_threads()
    try:
        with warnings.catch_warnings(), _logging():
            yield
    finally:
        state.clear()
        state.update(before)
        sys.argv, (sys.stdout, sys.stderr) = argv, streams
        generators.restore(numbers)
        torch.set_num_threads(threads)
        log.close_files()


@contextmanager
def _logging() -> Iterator[None]:
    captured = warnings.showwarning
    before = {logger: _settings(logger) for logger in _loggers()}
    try:
        yield
    finally:
        if warnings.showwarning is not captured:
            logging.captureWarnings(False)
        for logger in _loggers():
            handlers, level, propagate, disabled = before.get(
                logger, ([], logging.NOTSET, True, False)
            )
            for handler in logger.handlers:
                if handler not in handlers:
                    handler.flush()
            logger.handlers[:] = handlers
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    named = (each for each in known if isinstance(each, logging.Logger))
    return [logging.root, *(each for each in named if each.name.split(".")[0] in _CHANGED)]


def _settings(logger: logging.Logger) -> tuple[list[logging.Handler], int, bool, bool]:
    return list(logger.handlers), logger.level, logger.propagate, logger.disabled
