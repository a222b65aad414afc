"""The log of a run as a file, which must not end the run when the disk is full."""

import sys
from pathlib import Path

from mmf_cmsbert.files import WriteError


class LogFile:
    """A text stream that appends to a file.

    The first line that cannot be written is reported on stderr; this one and those after it are
    left out of the file. They are on the terminal all the same.

    Args:
        path: the file.
    """

    def __init__(self, path: str | Path):
        self._path = path
        # Unbuffered: a buffer would keep what cannot be written, and fail again when it is closed.
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115
        self._full = False

    def write(self, text: str) -> int:
        if not self._full:
            try:
                self._file.write(text.encode("utf-8", "backslashreplace"))
            except OSError as error:
                self._full = True
                what = WriteError(self._path, error)
                print(f"{what}. The run continues without this log file.", file=sys.stderr)
        return len(text)

    def flush(self) -> None:
        """Do nothing; every line is written at once."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
