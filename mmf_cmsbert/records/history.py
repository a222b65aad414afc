"""The history of a training run: ``history.jsonl`` in ``env.save_dir``, one line per measurement.

The first line is ``{"format": 1}``. A training line contains the mean losses of the updates since
the previous training line; a validation line the losses and metrics of the whole split:

    {"update": 30, "epoch": 2, "averaged": 30, "learning_rate": 1e-05, "losses": {...}}
    {"update": 30, "epoch": 2, "validation": {...}}
"""

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import WriteError, read_regular, replace_text
from mmf_cmsbert.utils import json_text

NAME, FORMAT = "history.jsonl", 1
_LARGEST = 1 << 28


@dataclass(frozen=True)
class Training:
    """The mean losses of consecutive updates.

    Attributes:
        update: the last of these updates.
        epoch: the epoch of that update.
        averaged: the number of these updates.
        learning_rate: of the optimizer's first parameter group, for the next update.
        losses: name -> mean; None if it is NaN or infinite.
    """

    update: int
    epoch: int
    averaged: int
    learning_rate: float | None
    losses: Mapping[str, float | None]


@dataclass(frozen=True)
class Validation:
    """The losses and metrics of the validation split after an update.

    Attributes:
        update: number of updates made before the validation.
        epoch: the epoch of the last update.
        validation: name -> value; None if it is NaN or infinite.
    """

    update: int
    epoch: int
    validation: Mapping[str, float | None]


Entry = Training | Validation


class History:
    """Appends to the history in a run's folder.

    Args:
        folder: the folder of the run.
        update: the update at which the run starts or resumes. Later entries are deleted, because a
            resumed run repeats the measurements made after its checkpoint.
        validated: the update of the last validation before the checkpoint.

    Raises:
        WriteError: the file cannot be written.
    """

    def __init__(self, folder: Path, update: int = 0, validated: int = 0):
        self.file = Path(folder) / NAME
        kept = [
            entry
            for entry in (_entries(self.file)[0] if update else ())
            if entry.update <= (validated if isinstance(entry, Validation) else update)
        ]
        lines = [_line({"format": FORMAT}), *(_line(vars(entry)) for entry in kept)]
        replace_text(self.file, "".join(lines))

    def append(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            WriteError: the file cannot be written.
        """
        try:
            with open(self.file, "a", encoding="utf-8") as stream:
                stream.write(_line(vars(entry)))
        except OSError as error:
            raise WriteError(self.file, error) from error


def read(folder: Path) -> list[Entry]:
    """Read the history in a run's folder; empty if there is none.

    An incomplete last line, from a killed run, is ignored.

    Raises:
        DataError: the file is damaged, or of another format.
    """
    file = Path(folder) / NAME
    if not file.exists():
        return []
    entries, damaged = _entries(file)
    if damaged:
        raise DataError(
            f"{file}, line {damaged}: expected an entry of a run's history in format {FORMAT}; "
            "delete the file to continue without training curves"
        )
    return entries


def _entries(file: Path) -> tuple[list[Entry], int | None]:
    """Return the entries before the first damaged line, and the number of that line."""
    try:
        lines = read_regular(file, _LARGEST).splitlines(keepends=True)
    except FileNotFoundError:
        return [], None
    entries: list[Entry] = []
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            break
        entry = None
        with suppress(ValueError, TypeError, DataError):
            values = json_text.parse(line, str(file))
            if number == 1 and values == {"format": FORMAT}:
                continue
            entry = _entry(values)
        if number == 1 or entry is None:
            return entries, number
        entries.append(entry)
    return entries, None


def _entry(values: Any) -> Entry | None:
    if not isinstance(values, dict) or type(values.get("update")) is not int:
        return None
    kind = Validation if "validation" in values else Training
    entry = kind(**values)  # raises TypeError for other keys
    measured: Any = entry.validation if isinstance(entry, Validation) else entry.losses
    numbers: Sequence[Any] = list(measured.values()) if isinstance(measured, dict) else [""]
    if isinstance(entry, Training):
        numbers = [*numbers, entry.learning_rate]
    return entry if all(isinstance(each, int | float | None) for each in numbers) else None


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(_finite(values)) + "\n"


def _finite(value: Any) -> Any:
    """Replace numbers that JSON does not support by None."""
    if isinstance(value, Mapping):
        return {name: _finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
