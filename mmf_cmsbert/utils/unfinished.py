"""Files and folders that are being written, and their removal if the writer was killed.

They are written under names with their owner, ``.NAME.HOST.PID.tmp``, and renamed when they are
complete. The next writer in a folder removes only what ended processes of the same machine left.
"""

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mmf_cmsbert.utils.processes import is_running

_OLD = "old"  # inside an unfinished folder: the one that it is about to replace
# Names without an owner, from earlier versions, in a run's folder.
_NO_OWNER = re.compile(r".+\.(saving|placing)|\.[^.]+(\.[a-z]+)?\.\d+\.tmp")
# Folders that this process has cleaned.
_looked_through: set[tuple[int, Path]] = set()


def name_for(path: Path) -> Path:
    """Return the temporary name beside ``path``; an old file of that name is removed."""
    unfinished = path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}.tmp")
    _remove(unfinished)
    look_through(path.parent)
    return unfinished


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Yield a folder to write into, which replaces ``folder`` at the end.

    If the end is not reached, ``folder`` is unchanged and the new folder is removed.

    Raises:
        OSError: it cannot be written or renamed.
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
    """Yield a temporary folder, which is removed at the end.

    Raises:
        OSError: it cannot be created.
    """
    scratch = name_for(inside / "scratch")
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def temporary_file(prefix: str) -> Path:
    """Create an empty file of this user in the folder for temporary files.

    The caller removes it. If it is killed before, :func:`look_through` does later.

    Args:
        prefix: the beginning of its name, after a dot.
    """
    suffix = f".{socket.gethostname()}.{os.getpid()}.tmp"
    handle, name = tempfile.mkstemp(prefix=f".{prefix}", suffix=suffix)
    os.close(handle)
    return Path(name)


def look_through(folder: Path) -> None:
    """Remove unfinished files of ended processes in a folder, once per process."""
    key = os.getpid(), folder.absolute()
    if key in _looked_through:
        return
    _looked_through.add(key)
    name = re.compile(rf"\.(.+)\.{re.escape(socket.gethostname())}\.(\d+)\.tmp")
    for left in _entries(folder):
        if (found := name.fullmatch(left.name)) and not is_running(int(found[2])):
            _finish_or_remove(left, folder / found[1])


def clear_locked(folder: Path) -> None:
    """Remove all unfinished files in a folder whose lock this process holds.

    No other process writes there, so files without an owner are removed too.
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
        # Killed between two renames: the new folder is complete, and contains the old one.
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
