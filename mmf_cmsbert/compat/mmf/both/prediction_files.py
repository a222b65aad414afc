"""Prediction files: written atomically, and only with finite scores."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmf.common.test_reporter import TestReporter

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import DataError, ScoresNotFiniteError
from mmf_cmsbert.files import replaced_file

_SHOWN = 3


@dataclass(frozen=True)
class Written:
    """A file of predictions.

    Attributes:
        file: its path.
        rows: number of predictions in it.
    """

    file: Path
    rows: int


_written: list[Written] = []


def written() -> tuple[Written, ...]:
    """The files written in this process since :func:`forget`."""
    return tuple(_written)


def forget() -> None:
    """Forget which files were written, as a run begins."""
    _written.clear()


@patch(
    "mmf.common.test_reporter.TestReporter.{csv,json}_dump",
    why="An interruption leaves an incomplete file. NaN and infinite scores are written. A dataset "
    "without predictions raises an IndexError.",
    remove_when="MMF checks predictions, and writes files atomically.",
)
def write_atomically() -> None:
    TestReporter.csv_dump = _checked(TestReporter.csv_dump, empty=False)
    TestReporter.json_dump = _checked(TestReporter.json_dump, empty=True)


def _checked(original: Callable[[Any, str], None], empty: bool) -> Callable[[Any, str], None]:
    def dump(self: Any, filepath: str) -> None:
        if not self.report and not empty:
            raise DataError(
                f"There are no predictions of dataset {self.current_dataset.dataset_name} to "
                f"write to {filepath}, because it does not define format_for_prediction."
            )
        if broken := [row for row in self.report if not _is_finite(row)]:
            names = ", ".join(str(row.get("id", "?")) for row in broken[:_SHOWN])
            where = f"{len(broken)} of {len(self.report)} samples ({names})"
            raise ScoresNotFiniteError(where, f"{filepath} was not written.")
        with replaced_file(Path(filepath)) as unfinished:
            original(self, str(unfinished))
        _written.append(Written(Path(filepath), len(self.report)))

    return dump


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
