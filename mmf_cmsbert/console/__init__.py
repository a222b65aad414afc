"""What surrounds every console command: signals that end it, and where its output goes.

Imports nothing but the standard library: it is in place before the seconds of other imports begin.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmf_cmsbert.console import output, signals

_NAMES = ("mmf_run", "mmf_predict", "cmsbert")


def begin() -> None:
    """In a process that a console command started: handle signals from now on."""
    name = Path((sys.argv or [""])[0]).stem
    if name in _NAMES:
        output.guard()
        signals.install(name)


@contextmanager
def command(name: str) -> Iterator[None]:
    """Run a console command in this block, to the end of its output.

    Raises:
        SystemExit: the output could not be written.
    """
    output.guard()
    with signals.handled(name):
        try:
            yield
        finally:
            output.finish(name)
