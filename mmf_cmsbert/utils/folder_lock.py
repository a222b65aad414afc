"""Lock a folder for one command, while any of its processes lives.

The lock is an ``flock`` on the file ``.lock`` in the folder. It belongs to the open file, which
child processes inherit: forked ones automatically, others if they are started with
:func:`descriptors`. The operating system releases it when the last of them ends, for whatever
reason, so no cleanup is needed. The file's content describes the owner, for messages.

Linux passes the lock to an NFS server. If a file system supports no locks, a second command is
noticed only while the first one runs on the same machine, and a warning says so.
"""

import errno
import fcntl
import json
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from textwrap import shorten
from typing import Any

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.utils.processes import holding, is_running, start_time

NAME = ".lock"
_IN_USE = (errno.EAGAIN, errno.EACCES)
_UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)
# Seconds to wait for the other processes of a command whose first process was killed.
_PATIENCE, _PAUSE = 40.0, 0.1
_MOST = 1 << 16  # bytes of the owner's description
_SHOWN = 120  # characters of the owner's command
_held: set[int] = set()


@contextmanager
def locked(folder: Path, command: str, elsewhere: str) -> Iterator[None]:
    """Keep other commands from writing to ``folder``.

    The lock outlives the context in child processes that still run.

    Args:
        folder: the folder; created if missing.
        command: the command line, for other commands' messages.
        elsewhere: the option for another folder, for this command's message.

    Raises:
        ConfigError: another command is writing there, or the folder cannot be written to.
    """
    file = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(file, elsewhere)
        owner = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "start_time": start_time(os.getpid()),
            "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "command": command[: _MOST // 8],
            "ended": False,
        }
        _write(descriptor, owner)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or error}; type {elsewhere}") from error
    _held.add(descriptor)
    try:
        yield
    finally:
        _held.discard(descriptor)
        with suppress(OSError):
            _write(descriptor, owner | {"ended": True})
        # Closed, not unlocked: unlocking would release it for the children too.
        os.close(descriptor)


def join(folder: Path) -> None:
    """Share the lock that another process of this command holds, until this process ends.

    For processes that were not started by the command itself, as with torchrun and Slurm. Does
    nothing if the folder is not locked.

    Raises:
        ConfigError: another command holds the lock.
    """
    try:
        descriptor = os.open(folder / NAME, os.O_RDWR)
    except FileNotFoundError:
        return
    try:
        _lock(descriptor, fcntl.LOCK_SH)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConfigError(f"{folder}: the first process of this run has ended") from error
    _held.add(descriptor)


def wait_until_free(folder: Path, seconds: float = _PATIENCE) -> None:
    """Wait until no command writes to ``folder``, at most some seconds.

    For a run whose starter was killed: the run saves its state, and then ends.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            descriptor = os.open(folder / NAME, os.O_RDWR)
        except OSError:  # there is no lock
            return
        try:
            _lock(descriptor, fcntl.LOCK_EX)
            return
        except BlockingIOError:
            time.sleep(_PAUSE)
        finally:
            os.close(descriptor)


def descriptors() -> tuple[int, ...]:
    """Return the descriptors of this process's locks, for ``pass_fds`` of ``subprocess.Popen``."""
    return tuple(sorted(_held))


def _acquire(file: Path, elsewhere: str) -> int:
    """Open the file and take the lock; return its descriptor."""
    end: float | None = None
    while True:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NONBLOCK | os.O_NOFOLLOW, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError(f"{file}: expected a file; remove it, or type {elsewhere}")
            if not _lock(descriptor, fcntl.LOCK_EX):
                _without_locks(file, elsewhere)
                return descriptor
            if os.fstat(descriptor).st_nlink:
                # Now shared, so that the other processes of this command can join.
                _lock(descriptor, fcntl.LOCK_SH)
                return descriptor
        except BlockingIOError as error:
            os.close(descriptor)
            owner = _owner(file)
            if not _has_ended(owner) or (end is not None and time.monotonic() > end):
                raise ConfigError(_in_use(file, owner, elsewhere)) from error
            if end is None:
                end = time.monotonic() + _PATIENCE
                _warn(f"waiting for the other processes of {_named(owner)}")
            time.sleep(_PAUSE)
        except BaseException:
            os.close(descriptor)
            raise
        else:
            os.close(descriptor)  # the file was removed in between


def _lock(descriptor: int, kind: int) -> bool:
    """Lock without waiting; return False if the file system supports no locks.

    Raises:
        BlockingIOError: another process holds the lock.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return False
        if error.errno in _IN_USE:
            raise BlockingIOError(*error.args) from error
        raise
    return True


def _without_locks(file: Path, elsewhere: str) -> None:
    owner = _owner(file)
    if owner.get("host") == socket.gethostname() and not _has_ended(owner):
        raise ConfigError(_in_use(file, owner, elsewhere))
    _warn(
        f"{file.parent}: this file system supports no locks; make sure that no other machine "
        "writes to this folder meanwhile"
    )


def _write(descriptor: int, owner: Mapping[str, Any]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(owner).encode(), 0)


def _owner(file: Path) -> Mapping[str, Any]:
    """Read the description of the lock's last owner; empty if unreadable."""
    try:
        with open(file, "rb") as stream:
            owner = json.loads(stream.read(_MOST))
        return {"pid": int(owner["pid"]), **owner}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _has_ended(owner: Mapping[str, Any]) -> bool:
    """Return whether the process that took the lock is known to have ended."""
    if owner.get("host") != socket.gethostname():
        return bool(owner.get("ended"))
    return bool(owner.get("ended")) or not is_running(owner["pid"], owner.get("start_time"))


def _in_use(file: Path, owner: Mapping[str, Any], elsewhere: str) -> str:
    text = f"{file.parent.absolute()} is in use by {_named(owner)}."
    pids: Sequence[int] = (owner["pid"],) if owner else ()
    if not owner or owner.get("host") == socket.gethostname():
        others = tuple(pid for pid in holding(file) if pid != os.getpid())
        if _has_ended(owner):
            text += (
                f" That process has ended, but others of that command still run: {_list(others)}."
            )
        elif not owner:
            text += f" Processes: {_list(others)}."
        pids = pids if pids and not _has_ended(owner) else others
    where = "" if owner.get("host") in (None, socket.gethostname()) else f" on {owner['host']}"
    stop = f"kill {' '.join(map(str, pids))}{where}" if pids else "stop it"
    return f"{text} Wait until it has ended, stop it ({stop}), or type {elsewhere}"


def _named(owner: Mapping[str, Any]) -> str:
    if not owner:
        return "another command"
    return (
        f"process {owner['pid']} on {owner.get('host')}, running since {owner.get('since')}: "
        f"{shorten(str(owner.get('command')), _SHOWN)}"
    )


def _list(pids: Sequence[int]) -> str:
    return ", ".join(map(str, pids)) or "unknown"


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr, flush=True)
