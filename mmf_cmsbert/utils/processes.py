"""Find out which processes of this machine are running."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_STATE, _START_TIME = 0, 19  # fields of /proc/PID/stat, counted after the command's name


def is_running(pid: int, start_time: str | None = None) -> bool:
    """Return whether a process is running; zombies do not count.

    Args:
        pid: its process id.
        start_time: from :func:`start_time`, to distinguish it from a later process with the same
            id; None if unknown.
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        pass
    fields = _fields(pid)
    if fields is None:  # a system without /proc, or one that hides other users' processes
        return True
    return fields[_STATE] not in "ZX" and start_time in (None, fields[_START_TIME])


def start_time(pid: int) -> str | None:
    """Return the start of a process in the kernel's clock ticks; None if unknown."""
    fields = _fields(pid)
    return None if fields is None else fields[_START_TIME]


def _fields(pid: int) -> list[str] | None:
    try:
        # The command's name is in brackets, and may contain spaces and brackets.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def holding(file: Path) -> Iterator[int]:
    """Yield the processes that have a file open and are visible to this user."""
    wanted = file.stat()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # another user's, or it has just ended
            for descriptor in (folder / "fd").iterdir():
                with suppress(OSError):
                    if os.path.samestat(descriptor.stat(), wanted):
                        yield int(folder.name)
                        break
