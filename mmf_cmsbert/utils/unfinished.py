"""Files and folders that are being written, and what is left of them when their writer is killed.

They are written under names that tell whose they are, ``.NAME.HOST.PID.tmp``, and renamed when they
are complete. Whoever writes into a folder next removes what processes of the same machine left
there that no longer run; nothing else.
"""

import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmf_cmsbert.utils.processes import is_running

_OLD = "old"  # inside an unfinished folder: the one that it is about to replace
# Names without an owner, as earlier versions wrote them into a run's folder.
_NO_OWNER = re.compile(r".+\.(saving|placing)|\.[^.]+(\.[a-z]+)?\.\d+\.tmp")
# Folders that this process has looked through.
_looked_through: set[tuple[int, Path]] = set()


def name_for(path: Path) -> Path:
    """The name beside ``path`` to write it under; what was left there under it is removed."""
    unfinished = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    _remove(unfinished)
    look_through(path.parent)
    return unfinished


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """A folder to write into, which takes the place of ``folder`` at the end.

    Where the end is not reached, ``folder`` is as it was and the other one is gone.

    Raises:
        OSError: it cannot be written, or cannot take that place.
    """
    unfinished = name_for(folder)
    try:
        unfinished.mkdir()
        yield unfinished
        old = unfinished / _OLD
        try:
            if folder.exists():
                folder.rename(old)
            unfinished.rename(folder)
        except BaseException:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(folder / _OLD, ignore_errors=True)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def scratch_folder(inside: Path) -> Iterator[Path]:
    """A folder to work in, which is removed at the end.

    Raises:
        OSError: it cannot be made.
    """
    scratch = name_for(inside / "scratch")
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def look_through(folder: Path) -> None:
    """Remove what processes that no longer run left unfinished in a folder; once a process."""
    key = os.getpid(), folder.absolute()
    if key in _looked_through:
        return
    _looked_through.add(key)
    name = re.compile(rf"\.(.+)\.{re.escape(socket.gethostname())}\.(\d+)\.tmp")
    for left in _entries(folder):
        if (found := name.fullmatch(left.name)) and not is_running(int(found[2])):
            _finish_or_remove(left, folder / found[1])


def clear_locked(folder: Path) -> None:
    """Remove all that is unfinished in a folder whose lock this process holds.

    Nobody else writes there, so that names without an owner can go as well.
    """
    look_through(folder)
    for left in _entries(folder):
        if _NO_OWNER.fullmatch(left.name) and left.is_file():
            _remove(left)


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _finish_or_remove(left: Path, target: Path) -> None:
    if (left / _OLD).is_dir() and not target.exists():
        # Killed between two renames: it is complete, and the folder that it replaces is in it.
        with suppress(OSError):
            left.rename(target)
            shutil.rmtree(target / _OLD, ignore_errors=True)
        return
    _remove(left)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
