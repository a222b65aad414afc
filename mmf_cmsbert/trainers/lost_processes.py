"""Detect processes of a run that end before the others.

Without this module the remaining processes wait forever, or until a collective operation fails with
a traceback from a C++ library.
"""

import atexit
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from types import MappingProxyType

from mmf.common.registry import registry
from torch import distributed

from mmf_cmsbert.console import signals
from mmf_cmsbert.errors import ProcessLost

# Environment variable with the id of the process that started this one
STARTED_BY = "MMF_CMSBERT_STARTED_BY"
_GRACE = 10  # seconds for a process to end by itself
_PATIENCE = 5.0  # seconds to wait for the status of a killed process
# Messages of gloo, NCCL, and torch's TCPStore; gloo raises a plain RuntimeError.
_MESSAGES = re.compile(
    r"gloo/|gloo::|NCCL|TCPStore|[Cc]onnection (was )?(closed|reset|refused)|Broken pipe|recvValue"
)
_started: Mapping[int, subprocess.Popen[bytes]] = MappingProxyType({})
_parent_watched = False


def watch(processes: Mapping[int, subprocess.Popen[bytes]]) -> None:
    """End this process when one of its child processes fails, and end them with this one.

    Args:
        processes: rank -> process.
    """
    global _started
    _started = processes
    atexit.register(_end)
    signals.on_sudden_end(lambda interrupted: _pass_on(interrupted.number))
    for rank, process in processes.items():
        Thread(target=_watch, args=(rank, process), daemon=True).start()


def watch_parent() -> None:
    """End this process if the one that started it ends."""
    global _parent_watched
    parent = os.environ.get(STARTED_BY)
    if parent is None or _parent_watched:
        return
    _parent_watched = True

    def watch_it() -> None:
        while os.getppid() == int(parent):
            time.sleep(1)
        _give_up("the process that started this one ended")

    Thread(target=watch_it, daemon=True).start()


@contextmanager
def reported() -> Iterator[None]:
    """Convert communication errors in a block to an error that names the lost process.

    Raises:
        ProcessLost: instead of the error of torch's communication library.
        Interrupted: a signal ended the other process, or this process has received one.
    """
    try:
        yield
    except signals.Interrupted as interrupted:
        _pass_on(interrupted.number)
        raise
    except RuntimeError as error:
        if not _is_lost_connection(error):
            raise
        number = signals.received() or _signal_received()
        if number is not None:
            raise signals.Interrupted(number) from None
        raise ProcessLost(_describe()) from None


def _is_lost_connection(error: RuntimeError) -> bool:
    known = tuple(
        getattr(distributed, name)
        for name in ("DistNetworkError", "DistStoreError", "DistBackendError")
        if hasattr(distributed, name)
    )
    return isinstance(error, known) or bool(_MESSAGES.search(str(error)))


def _describe() -> str:
    rank = distributed.get_rank() if distributed.is_initialized() else os.environ.get("RANK", 0)
    updates = registry.get("num_updates", no_warning=True)
    ended = ", ".join(_how(rank, status) for rank, status in _ended().items())
    return (
        f"{ended or 'another process of this run ended or cannot be reached'}"
        f"{f', after update {updates}' if updates else ''}; process {rank} ends too. To resume "
        "from the last checkpoint, if any, add checkpoint.resume=true to the command"
    )


def _signal_received() -> int | None:
    """Return the signal that ended a child process, from its exit status; None for none."""
    numbers = [status - 128 for status in _ended().values() if status - 128 in signals.ENDING]
    return numbers[0] if numbers else None


def _pass_on(number: int) -> None:
    for process in _started.values():
        if process.poll() is None:
            process.send_signal(number)


def _ended() -> dict[int, int]:
    """Return the child processes that have failed: rank -> status."""
    until = time.monotonic() + _PATIENCE
    while _started and time.monotonic() < until:
        polled = {rank: each.poll() for rank, each in _started.items()}
        if found := {rank: status for rank, status in polled.items() if status}:
            return found
        time.sleep(0.05)
    return {}


def _how(rank: int, status: int) -> str:
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"failed ({status})"
    return f"process {rank} of this run {how}"


def _watch(rank: int, process: "subprocess.Popen[bytes]") -> None:
    status = process.wait()
    if status == 0:
        return
    if status - 128 in signals.ENDING and signals.received() is None:
        os.kill(os.getpid(), status - 128)  # the signal is meant for the whole run
    _give_up(_how(rank, status))


def _give_up(why: str) -> None:
    time.sleep(_GRACE)
    while signals.received() is not None:  # ends by itself, or at the time limit of `signals`
        time.sleep(1)
    print(f"{os.path.basename(sys.argv[0])}: error: {why}; this one ends too", file=sys.stderr)
    os._exit(1)


def _end() -> None:
    if (number := signals.received()) is not None:
        _pass_on(number)
    for process in _started.values():
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
