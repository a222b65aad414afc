"""Signal handling and output of all console commands.

Imports only the standard library, so that it is set up before the slow imports.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmf_cmsbert.console import output, signals

_NAMES = ("mmf_run", "mmf_predict", "cmsbert")


def begin() -> None:
    """Start to handle signals, in a process of a console command."""
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
