"""Write predictions of a long input to a file: in order, atomically, and resumable.

Until they are complete, they are in a journal beside the file, with one line per input. The same
command resumes an interrupted journal of the same model and input.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from mmf_cmsbert.errors import ConfigError, SegmentError
from mmf_cmsbert.files import WriteError, replaced_file, write_error
from mmf_cmsbert.predictor.prediction import Prediction, columns

FORMATS = (".csv", ".jsonl", ".parquet")
_ROWS = 4096


def check_output(output: Path) -> None:
    """Raise a ConfigError if predictions cannot be written to ``output``."""
    if output.suffix.lower() not in FORMATS:
        raise ConfigError(
            f"--output is {output}; expected a name that ends in {', '.join(FORMATS)}"
        )
    if output.is_dir():
        raise ConfigError(f"--output={output} is a folder; name a file in it")


class Journal:
    """The journal of an incomplete prediction file.

    Args:
        output: the prediction file.
        made_with: everything that the predictions depend on, in plain values. A journal with other
            values is replaced.
        columns: the columns of the file and the types of their values, see
            :func:`.prediction.columns`.
        window: inputs whose batches do not depend on the inputs before them. Only whole windows of
            an interrupted journal are kept: in other batches the last digits could differ.
    """

    def __init__(
        self,
        output: Path,
        made_with: dict[str, Any],
        window: int = 1,
        columns: Mapping[str, type] = columns(),  # noqa: B008
    ):
        self._columns = columns
        self.file = output.with_name(f"{output.name}.part")
        self._header = json.dumps({"made_with": made_with}, sort_keys=True)
        self.done = self._keep_whole_windows(window)

    def _keep_whole_windows(self, window: int) -> int:
        """Remove an incomplete last window; return the number of inputs in the journal."""
        count, kept = -1, 0
        with suppress(OSError), open(self.file, "r+b") as lines:
            end = whole = 0
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                if count < 0 and line.decode("utf-8", "replace").rstrip("\n") != self._header:
                    break
                count += 1
                end += len(line)
                if count % window == 0:
                    kept, whole = count, end
            lines.truncate(whole)
        return kept

    def extend(self, results: Iterable[Prediction | SegmentError]) -> Iterator[Any]:
        """Write each result; yield it afterwards."""
        with self._writing():
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lines = open(self.file, "a", encoding="utf-8", buffering=1 << 16)  # noqa: SIM115
        try:
            if lines.tell() == 0:
                lines.write(self._header + "\n")
            for each in results:  # an error of reading the input is not one of writing
                with self._writing():
                    lines.write(json.dumps(as_row(each), ensure_ascii=False) + "\n")
                yield each
        finally:
            with self._writing():
                lines.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise write_error(error, self.file) or WriteError(self.file, error) from error

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each line, in order."""
        with open(self.file, encoding="utf-8") as lines:
            next(lines, None)
            yield from map(json.loads, lines)

    def finish(self, output: Path) -> tuple[int, int]:
        """Write the prediction file and delete the journal.

        Errors are written to ``<output>.errors.txt``, which only exists if there are any.

        Returns:
            The numbers of predictions and errors.
        """
        errors = output.with_name(f"{output.name}.errors.txt")
        found = write_rows(output, self.rows(), self._columns, errors)
        self.file.unlink()
        return found


def write_rows(
    output: Path, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, type], errors: Path
) -> tuple[int, int]:
    """Write a prediction file, completely or not at all.

    Args:
        output: the file.
        rows: of predictions, see :func:`as_row`.
        columns: as for :class:`Journal`.
        errors: the file for errors, which only exists if there are any.

    Returns:
        The numbers of predictions and errors.
    """
    predicted = failed = 0

    def good(text: TextIO) -> Iterator[dict[str, Any]]:
        nonlocal predicted, failed
        for row in rows:
            if "error" in row:
                text.write(f"{row['error']}\n")
                failed += 1
            else:
                predicted += 1
                yield dict(row)

    with (
        replaced_file(errors) as unfinished,
        open(unfinished, "w", encoding="utf-8") as text,
        replaced_file(output) as unfinished_output,
    ):
        _WRITERS[output.suffix.lower()](unfinished_output, good(text), columns)
    if not failed:
        errors.unlink()
    return predicted, failed


def as_row(result: Prediction | SegmentError) -> dict[str, Any]:
    """Return a prediction as a row, or an error as ``{"error": its message}``."""
    return {"error": str(result)} if isinstance(result, SegmentError) else result.as_row()


def _write_csv(file: Path, rows: Iterator[dict[str, Any]], columns: Mapping[str, type]) -> None:
    with open(file, "w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(columns))
        writer.writeheader()
        writer.writerows(rows)


def _write_jsonl(file: Path, rows: Iterator[dict[str, Any]], _: Mapping[str, type]) -> None:
    with open(file, "w", encoding="utf-8") as text:
        text.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _write_parquet(file: Path, rows: Iterator[dict[str, Any]], columns: Mapping[str, type]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    types = {str: pa.string(), float: pa.float64(), int: pa.int8()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    with parquet.ParquetWriter(file, schema) as writer:
        while some := list(islice(rows, _ROWS)):
            writer.write_table(pa.Table.from_pylist(some, schema))


_WRITERS = {".csv": _write_csv, ".jsonl": _write_jsonl, ".parquet": _write_parquet}
