"""Handle closed pipes on stdout and stderr, as in ``mmf_run --help | head``."""

import errno
import io
import os
import signal
import sys
from typing import Any

from mmf_cmsbert.console import signals

_failure: OSError | None = None


class _Descriptor(io.FileIO):
    """Descriptor 1 or 2; after a failed write, further output is dropped."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self._drop(error)
            return len(data)

    def _drop(self, error: OSError) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        # EIO: the terminal is gone
        if error.errno in (errno.EPIPE, errno.EIO):
            signals.arrived(signal.SIGPIPE)
        elif self.fileno() == 1:
            global _failure
            _failure = error


def guard() -> None:
    """Make a closed pipe end the command like a signal, without a traceback.

    A descriptor that is closed from the start (``mmf_run ... >&-``) is opened on the null device.
    Otherwise the next opened file would get its number, and the output of libraries.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115
        elif stream is getattr(sys, f"__{name}__") and stream.fileno() == number:
            stream.flush()
            guarded = _guarded(stream)
            setattr(sys, name, guarded)
            setattr(sys, f"__{name}__", guarded)


def finish(name: str) -> None:
    """Flush the remaining output.

    Raises:
        SystemExit: with status 1, after a line on stderr: standard output could not be written.
    """
    sys.stdout.flush()
    if _failure is not None:
        print(f"{name}: error: standard output: {_failure.strerror}", file=sys.stderr)
        raise SystemExit(1)


def _guarded(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    if isinstance(getattr(stream.buffer, "raw", stream.buffer), _Descriptor):
        return stream
    raw = _Descriptor(stream.fileno(), "w", closefd=False)
    # Unbuffered, as with python -u: the text goes directly to the descriptor.
    unbuffered = isinstance(stream.buffer, io.RawIOBase)
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
