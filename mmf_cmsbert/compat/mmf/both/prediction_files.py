"""Files of predictions that are whole, and hold scores."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmf.common.test_reporter import TestReporter

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import DataError, ScoresNotFiniteError
from mmf_cmsbert.files import replaced_file

_SHOWN = 3


@patch(
    "mmf.common.test_reporter.TestReporter.{csv,json}_dump",
    why="Predictions are written in place: an interrupted file holds half of them. Those that are "
    "NaN or infinite are written as if they were scores. A dataset without any ends in an "
    "IndexError.",
    remove_when="MMF checks predictions, and replaces files of them as a whole.",
)
def whole_files() -> None:
    TestReporter.csv_dump = _checked(TestReporter.csv_dump, empty=False)
    TestReporter.json_dump = _checked(TestReporter.json_dump, empty=True)


def _checked(original: Callable[[Any, str], None], empty: bool) -> Callable[[Any, str], None]:
    def dump(self: Any, filepath: str) -> None:
        if not self.report and not empty:
            raise DataError(
                f"Dataset {self.current_dataset.dataset_name} gave no predictions to write to "
                f"{filepath}: it has no format_for_prediction."
            )
        if broken := [row for row in self.report if not _is_finite(row)]:
            names = ", ".join(str(row.get("id", "?")) for row in broken[:_SHOWN])
            where = f"{len(broken)} of {len(self.report)} samples ({names})"
            raise ScoresNotFiniteError(where, f"{filepath} was not written.")
        with replaced_file(Path(filepath)) as unfinished:
            original(self, str(unfinished))

    return dump


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
