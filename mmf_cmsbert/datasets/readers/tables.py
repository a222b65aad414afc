"""Read rows from JSON lines, JSON arrays, CSV and TSV, as common programs write them.

Encodings are UTF-8 and, with a byte order mark, UTF-16 and UTF-32. Cells are separated by commas,
tabs or semicolons; unless they are separated by commas, numbers may have a decimal comma.
"""

import csv
import io
import json
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from mmf_cmsbert.datasets.readers.names import field_named, split_named
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import open_regular, read_regular
from mmf_cmsbert.utils import json_text

SUFFIXES = (".jsonl", ".json", ".csv", ".tsv")
_JSON = (".jsonl", ".json")
_BOMS = (  # that of UTF-32 begins with that of UTF-16
    (BOM_UTF32_LE, "utf-32"),
    (BOM_UTF32_BE, "utf-32"),
    (BOM_UTF16_LE, "utf-16"),
    (BOM_UTF16_BE, "utf-16"),
    (BOM_UTF8, "utf-8-sig"),
)
_DELIMITERS = (",", ";", "\t")
_LONGEST_LINE, _LONGEST_ARRAY = 1 << 24, 1 << 28
_NUMBERS = ("label", "start", "end")
_COMMA, _POINT = (re.compile(rf"\s*[+-]?\d*{mark}\d+\s*") for mark in (",", r"\."))
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # Excel's

Row = tuple[str, Mapping[str, Any]]
RowOrError = tuple[str, Mapping[str, Any] | SegmentError]


def read_table(file: Path) -> Iterator[Row]:
    """:func:`table_rows`, of which every row can be read.

    Raises:
        DataError: the file cannot be read, or is not what its suffix says, or one row is not.
    """
    for where, row in table_rows(file):
        if isinstance(row, SegmentError):
            raise DataError(str(row)) from row
        yield where, row


def table_rows(file: Path) -> Iterator[RowOrError]:
    """Each row's place, for messages, and its cells by the names of their columns.

    A line that is not JSON, or has more or fewer cells than columns, gives an error, and the rows
    after it are read.

    Empty cells are left out.

    Args:
        file: its suffix says what it is; ``.json`` and ``.jsonl`` may both hold an array.

    Raises:
        DataError: it cannot be read, or is not what its suffix says.
    """
    try:
        yield from _json(file) if file.suffix.lower() in _JSON else _cells(file)
    except UnicodeError as error:
        raise DataError(_not_utf8(file)) from error
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error


def _json(file: Path) -> Iterator[RowOrError]:
    with _opened(file) as lines:
        numbered = ((n, line) for n, line in enumerate(_lines(lines, file), 1) if line.strip())
        first = next(numbered, (1, ""))
        if first[1].lstrip().startswith("[") or file.suffix.lower() == ".json":
            yield from _array(file)
            return
        for number, line in chain([first] if first[1] else (), numbered):
            where = f"{file}: line {number}"
            try:
                row = json_text.parse(line, where)
            except ValueError as error:
                reason = str(error)[:100]
                yield where, SegmentError(f"{where} is not JSON ({reason}): {line[:80]!r}")
                continue
            yield where, _object(row, where)


def _array(file: Path) -> Iterator[RowOrError]:
    content = read_regular(file, _LONGEST_ARRAY)
    try:
        rows = json_text.parse(content.decode(_encoding(content)), str(file))
    except ValueError as error:
        at = f": line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(
            f"{file}{at} is not JSON ({str(error)[:100]}); expected an array of objects, or, in a "
            ".jsonl file, an object a line"
        ) from error
    if isinstance(rows, dict) and all(split_named(k) and type(v) is list for k, v in rows.items()):
        rows = [_of_split(row, split) for split, each in rows.items() for row in each]
    if isinstance(rows, dict) and rows and all(type(each) is dict for each in rows.values()):
        rows = [{"id": name, **row} for name, row in rows.items()]  # records by id
    if not isinstance(rows, list):
        raise DataError(
            f"{file}: expected an array of objects such as [{{'id': ...}}], or objects by id; "
            f"found {type(rows).__name__} {rows!r:.80}"
        )
    for number, row in enumerate(rows, 1):
        where = f"{file}: object {number}"
        yield where, _object(row, where)


def _of_split(row: Any, split: str) -> Any:
    return row | {"split": split} if isinstance(row, dict) else row


def _object(row: Any, where: str) -> Mapping[str, Any] | SegmentError:
    if not isinstance(row, dict):
        return SegmentError(f"{where}: expected an object such as {{'id': ...}}, found {row!r:.80}")
    return {key: value for key, value in row.items() if value is not None}


def _cells(file: Path) -> Iterator[RowOrError]:
    with _opened(file) as text:
        lines = _lines(text, file)
        first = next(lines, "")
        delimiter = None
        if match := _SEPARATOR_LINE.fullmatch(first):
            delimiter, first = match[1], next(lines, "")
        skipped = 1 if match else 0
        delimiter = delimiter or _delimiter(first, file)
        reader = csv.DictReader(chain([first], lines), strict=True, delimiter=delimiter)
        marks: set[str] = set()
        try:
            names = reader.fieldnames = _columns(list(reader.fieldnames or []), file)
            for row in reader:
                where = f"{file}: line {reader.line_num + skipped}"
                if None in row or None in row.values():
                    columns = ", ".join(names)
                    yield where, SegmentError(f"{where}: not as many cells as columns ({columns})")
                    continue
                cells = {name: cell for name, cell in row.items() if cell.strip()}
                yield where, _with_points(cells, marks, where) if delimiter != "," else cells
        except csv.Error as error:
            line = reader.line_num + skipped
            raise DataError(f"{file}: line {line} is not CSV ({error})") from error


def _delimiter(header: str, file: Path) -> str:
    """Return the delimiter that gives the most known column names in the header."""
    if file.suffix.lower() == ".tsv":
        return "\t"

    def known(delimiter: str) -> int:
        try:
            return sum(map(bool, map(field_named, next(csv.reader([header], delimiter=delimiter)))))
        except (csv.Error, StopIteration):
            return 0

    return max(_DELIMITERS, key=known)


def _columns(names: list[str], file: Path) -> list[str]:
    # pandas leaves the name of its index empty.
    names = [name.strip() or f"column {number}" for number, name in enumerate(names, 1)]
    if len(set(names)) < len(names):
        raise DataError(f"{file}: a column occurs twice in {names}")
    return names


def _with_points(cells: dict[str, str], marks: set[str], where: str) -> dict[str, str]:
    """Replace decimal commas by points in cells of numbers.

    Args:
        cells: the cells of a row.
        marks: the decimal marks of earlier rows, to which this row's are added.
        where: the row's location, for messages.
    """
    numbers = [name for name in cells if field_named(name) in _NUMBERS]
    for name in numbers:
        marks |= {m for m, form in ((",", _COMMA), (".", _POINT)) if form.fullmatch(cells[name])}
        if len(marks) > 1:
            raise DataError(
                f"{where}: {name} is {cells[name]!r}, but the file's other numbers have another "
                "decimal mark; use one, a point or a comma"
            )
    commas = {
        name: cells[name].replace(",", ".") for name in numbers if _COMMA.fullmatch(cells[name])
    }
    return cells | commas


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    with open_regular(file) as binary:
        encoding = _encoding(binary.read(4))
        binary.seek(0)
        with io.TextIOWrapper(binary, encoding, newline="") as text:
            yield text


def _encoding(start: bytes) -> str:
    return next((name for bom, name in _BOMS if start.startswith(bom)), "utf-8")


def _lines(text: TextIO, file: Path) -> Iterator[str]:
    while line := text.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            raise DataError(f"{file}: a line has more than {_LONGEST_LINE:,} characters; refused")
        if "\0" in line:
            raise DataError(
                f"{file}: holds zero bytes, as UTF-16 without a byte order mark does; save the "
                "file as UTF-8"
            )
        yield line


def _not_utf8(file: Path) -> str:
    """Describe the first line that is not UTF-8, and how to convert the file."""
    with open_regular(file) as lines:
        number, line = 0, b""
        while line := lines.readline(_LONGEST_LINE):
            number += 1
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
    try:
        shown = f"; as Windows' cp1252 it reads {line.decode('cp1252').strip()[:60]!r}"
    except UnicodeDecodeError:
        shown = ""
    return (
        f"{file}: line {number} is not UTF-8 text{shown}; save the file as UTF-8 (Excel: CSV "
        f"UTF-8), or, if it is cp1252, type iconv -f cp1252 -t utf-8 {file.name} > NEW"
    )
