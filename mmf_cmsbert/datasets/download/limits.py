"""How long downloads may take, and how much they may bring."""

import time
from dataclasses import dataclass, field

from mmf_cmsbert.errors import ConfigError, DataError

HOURS, GIGABYTES = 24.0, 100.0


class LimitReached(DataError):
    """A download would take longer, or bring more, than is allowed."""


class TooLong(DataError):
    """More came than the file has, or than is allowed: it is not the file."""


@dataclass
class Limits:
    """What is left of the time and the bytes that all files of a command may take together.

    Args:
        hours: from now on.
        gigabytes: of 10^9 bytes.

    Raises:
        ConfigError: a limit that is not above 0.
    """

    hours: float = HOURS
    gigabytes: float = GIGABYTES
    _deadline: float = field(init=False)
    _bytes: int = field(init=False)

    def __post_init__(self):
        for name, value in (("--max-hours", self.hours), ("--max-gigabytes", self.gigabytes)):
            if not 0 < value < float("inf"):
                raise ConfigError(f"{name} {value}: expected a number above 0")
        self._deadline = time.monotonic() + 3600 * self.hours
        self._bytes = round(1e9 * self.gigabytes)

    def seconds_left(self) -> float:
        """Seconds until the time is up.

        Raises:
            LimitReached: it is up.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise LimitReached(
                f"not complete after {self.hours:g} hours; --max-hours allows more time"
            )
        return left

    def check_room_for(self, count: int) -> None:
        """Raise a LimitReached unless so many more bytes are allowed."""
        if count > self._bytes:
            raise LimitReached(
                f"{count:,} bytes are to come, and {self._bytes:,} are left of the "
                f"{self.gigabytes:g} gigabytes that are allowed; --max-gigabytes allows more"
            )

    def spend(self, count: int) -> None:
        """Take ``count`` bytes off what is left.

        Raises:
            TooLong: fewer are left.
        """
        if count > self._bytes:
            raise TooLong(
                f"the server sends more than the {self.gigabytes:g} gigabytes that are allowed; "
                "--max-gigabytes allows more"
            )
        self._bytes -= count
