"""Processes that a test started, with everything that they started."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def kill(roots: list[int]) -> None:
    """Kill processes and their descendants at once (SIGKILL), as if a machine lost power."""
    for pid in [each for root in roots for each in (root, *descendants(root))]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def processes() -> Iterator[tuple[int, str]]:
    """Yield all processes: id, command line."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                yield int(entry.name), (entry / "cmdline").read_text().replace("\0", " ")


def descendants(root: int) -> list[int]:
    """Return the processes that a process started, and that those started."""
    children = [pid for pid, _ in processes() if _parent(pid) == root]
    return [each for child in children for each in (child, *descendants(child))]


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
