"""The interface of experiment trackers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker knows of a run when it starts.

    Attributes:
        name: ``training.experiment_name``.
        folder: the run's folder.
        log_folder: where event files go.
        config: the configuration in plain containers, without values of environment variables.
        update: the update that the run begins or resumes at.
    """

    name: str
    folder: Path
    log_folder: Path
    config: Mapping[str, Any]
    update: int = 0


class Tracker(Protocol):
    """Records numbers of a run.

    Attributes:
        view: a command or an address that shows what was recorded.
    """

    view: str

    def log(self, values: Mapping[str, float], update: int) -> None:
        """Record values, tag -> value, of an update."""

    def log_file(self, file: Path) -> None:
        """Keep a copy of a checkpoint, if the tracker keeps files."""

    def close(self, finished: bool) -> None:
        """Write what is left.

        Args:
            finished: whether the run came to its end.
        """
