"""Limits of time and size for downloads."""

import time
from dataclasses import dataclass, field

from mmf_cmsbert.errors import ConfigError, DataError

HOURS, GIGABYTES = 24.0, 100.0


class LimitReached(DataError):
    """A download exceeds the limit of time or size."""


class TooLong(DataError):
    """The server sent more bytes than the file has or the limit allows; the data is unusable."""


@dataclass
class Limits:
    """The remaining time and bytes for all files of a command together.

    Args:
        hours: time from now on.
        gigabytes: size in 10^9 bytes.

    Raises:
        ConfigError: a limit is not above 0.
    """

    hours: float = HOURS
    gigabytes: float = GIGABYTES
    _deadline: float = field(init=False)
    _bytes: int = field(init=False)

    def __post_init__(self) -> None:
        for name, value in (("--max-hours", self.hours), ("--max-gigabytes", self.gigabytes)):
            if not 0 < value < float("inf"):
                raise ConfigError(f"{name} {value}: expected a number above 0")
        self._deadline = time.monotonic() + 3600 * self.hours
        self._bytes = round(1e9 * self.gigabytes)

    def seconds_left(self) -> float:
        """Return the seconds until the time limit.

        Raises:
            LimitReached: the time limit has passed.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise LimitReached(
                f"not complete after {self.hours:g} hours; --max-hours allows more time"
            )
        return left

    def check_room_for(self, count: int) -> None:
        """Raise a LimitReached unless ``count`` more bytes are allowed."""
        if count > self._bytes:
            raise LimitReached(
                f"{count:,} bytes remain to be downloaded, and {self._bytes:,} are left of the "
                f"limit of {self.gigabytes:g} gigabytes; --max-gigabytes allows more"
            )

    def spend(self, count: int) -> None:
        """Subtract ``count`` from the remaining bytes.

        Raises:
            TooLong: fewer bytes remain.
        """
        if count > self._bytes:
            raise TooLong(
                f"the server sends more than the limit of {self.gigabytes:g} gigabytes; "
                "--max-gigabytes allows more"
            )
        self._bytes -= count
