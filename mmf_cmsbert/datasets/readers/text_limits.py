"""Limits of JSON Lines and CSV files, which the library ``datasets`` reads without any.

Each key of a row becomes a column of all rows around it, so a small file with many different keys
takes rows times keys. Its parsers of JSON crash where lists are nested very deeply.
"""

import re
from pathlib import Path

import numpy as np

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular

# What the library reads at once
_CHUNK = 10 << 20
_MOST_CELLS = 20_000_000
_MOST_COLUMNS, _LONGEST_HEADER = 10_000, 1 << 20
_DEEPEST = 100
# Of a byte outside of texts: how much deeper the next one is.
_STEPS = np.zeros(256, np.int8)
_STEPS[list(b"[{")], _STEPS[list(b"]}")] = 1, -1
# A text, also without its end, and the colon after it.
_TEXT = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*)(?:"(\s*:)?|\\?\Z)', re.DOTALL)


def check(path: Path) -> None:
    """Check a JSON or CSV file, by its suffix.

    Raises:
        DataError: it has too many different keys or columns.
        OSError: it cannot be read.
    """
    if path.suffix.lower() in (".json", ".jsonl"):
        _check_json(path)
    elif path.suffix.lower() in (".csv", ".tsv"):
        _check_csv(path)


def _check_json(path: Path) -> None:
    with open_regular(path) as file:
        while chunk := file.read(_CHUNK):
            chunk += file.readline()
            plain = _TEXT.sub(b"", chunk)
            steps = _STEPS[np.frombuffer(plain, np.uint8)]
            if (depth := int(np.cumsum(steps, dtype=np.int64).max(initial=0))) > _DEEPEST:
                raise DataError(
                    f"{path}: lists or objects in each other, {depth:,} deep; expected at most "
                    f"{_DEEPEST}"
                )
            keys = {text for text, colon in _TEXT.findall(chunk) if colon}
            rows = plain.count(b"{")
            if len(keys) * rows > _MOST_CELLS:
                raise DataError(
                    f"{path}: {rows:,} rows have {len(keys):,} different keys, so that a table of "
                    f"them has {rows * len(keys):,} cells; expected at most {_MOST_CELLS:,}. Leave "
                    "out the keys that are in few rows"
                )


def _check_csv(path: Path) -> None:
    with open_regular(path) as file:
        header = file.readline(_LONGEST_HEADER)
    columns = max(map(header.count, (b",", b";", b"\t"))) + 1
    if columns > _MOST_COLUMNS or len(header) == _LONGEST_HEADER:
        raise DataError(
            f"{path}: its first line has {columns:,} columns; expected at most {_MOST_COLUMNS:,}. "
            "Frames belong into nested lists, in JSON Lines or Parquet"
        )
