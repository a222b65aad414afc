"""Run a job, such as ``mmf_run``, in its own process."""

import inspect
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mmf_cmsbert.console import signals
from mmf_cmsbert.utils import folder_lock
from mmf_cmsbert.utils.parent import end_with_parent

# Seconds to wait for a run to end after a signal: more than its own limit.
_PATIENCE = signals.LIMIT + 5
_PROGRESS = re.compile(r"progress: (\d+)/(\d+)")
_ERROR = re.compile(r"^(?:mmf_run|cmsbert [a-z ]+): error: ", re.MULTILINE)
_TAIL = 20_000


def program(entry: str) -> str:
    """Return the source of a child process that calls ``MODULE:FUNCTION``.

    The child watches its parent, so that both end together, before its slow imports.
    """
    module, function = entry.split(":")
    return (
        f"{inspect.getsource(end_with_parent)}\n"
        f"end_with_parent({_PATIENCE})\n"
        f"from {module} import {function} as run; run()"
    )


class JobProcess:
    """A running job, whose output goes to a file.

    It and its child processes end with this process, even if this one is killed. They hold this
    process's locks while they live.

    Args:
        words: the words of its command line.
        log: the file for its output.
        threads: number of CPU threads.
        gpu: its GPU; None for all GPUs.
        entry: what is called, ``MODULE:FUNCTION``.
    """

    def __init__(
        self,
        words: Sequence[str],
        log: Path,
        threads: int,
        gpu: str | None = None,
        entry: str = "mmf_cmsbert.cli:mmf_run",
    ):
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
        if gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = gpu
        with open(log, "wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program(entry), *words],
                stdin=subprocess.PIPE,  # closed when this process ends, see end_with_parent
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                pass_fds=folder_lock.descriptors(),
            )

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        status = self._process.poll()
        if status is not None:
            self._kill()
        return status

    def stop(self) -> None:
        """End it and its child processes, and wait until it has ended."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._kill()
            self._process.wait()

    def _kill(self) -> None:
        """Kill the remaining processes of its group."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def error(self, status: int, recorded: str | None) -> str:
        """Return why it failed, in one line; ``recorded`` is the error in the run's record."""
        return error_of(self.log, status, recorded)

    def progress(self) -> tuple[int, int] | None:
        """Return the updates made and in total, from the log; None before the first line."""
        return progress_in(self.log)


def progress_in(log: Path) -> tuple[int, int] | None:
    """Return the updates made and in total, from a run's output; None before the first line."""
    found = _PROGRESS.findall(_tail(log))
    return (int(found[-1][0]), int(found[-1][1])) if found else None


def error_of(log: Path, status: int, recorded: str | None = None) -> str:
    """Return why a job failed, in one line.

    Args:
        log: of the run, which has the error message, unless the disk was full.
        status: the exit status.
        recorded: the error in the job's record.
    """
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    text = _tail(log)
    found = _ERROR.split(text)[1:]
    lines = (found[-1] if found else recorded or text).strip().splitlines()
    if not lines:
        return f"ended with status {status} and no output"
    return lines[0 if found or recorded else -1].strip()


def _tail(file: Path) -> str:
    with open(file, "rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL))
        return stream.read().decode(errors="replace")
