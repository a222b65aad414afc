"""Segments of files whose columns have names of their own."""

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.predictor.sources import read_segments

COLUMNS = {"id": "key", "text": "said", "label": "opinion"}
ROWS = [
    {"key": "a", "said": "a good film", "opinion": 1.5},
    {"key": "b", "said": "bad", "opinion": -2.0},
]


def write(file, rows):
    """Write rows as the file's suffix says."""
    if file.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pylist(rows), file)
    elif file.suffix == ".jsonl":
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    else:
        with open(file, "w", newline="") as lines:
            writer = csv.DictWriter(lines, dict.fromkeys(name for row in rows for name in row))
            writer.writeheader()
            writer.writerows(rows)
    return file


def short(segments):
    return [(each.id, " ".join(each.words), each.label) for each in segments]


@pytest.mark.parametrize("name", ["own.csv", "own.jsonl", "own.parquet", "segments.jsonl"])
def test_fields_are_read_from_the_columns_that_are_named(tmp_path, name):
    file = write(tmp_path / name, ROWS)
    path = tmp_path if name == "segments.jsonl" else file
    found = short(read_segments(path, columns=COLUMNS))
    assert found == [("a", "a good film", 1.5), ("b", "bad", -2.0)]


@pytest.mark.parametrize("name", ["own.jsonl", "own.parquet"])
def test_other_columns_of_the_same_field_are_not_read(tmp_path, name):
    rows = [{"id": "a", "text": "the whole scene", "raw_text": "good"}]
    file = write(tmp_path / name, rows)
    assert short(read_segments(file, columns={"text": "raw_text"})) == [("a", "good", None)]


@pytest.mark.parametrize("name", ["own.csv", "own.parquet", "segments.jsonl"])
def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path, name):
    file = write(tmp_path / name, ROWS)
    path = tmp_path if name == "segments.jsonl" else file
    with pytest.raises(DataError, match="no column 'spoken'.* of text; .*key, said, opinion"):
        list(read_segments(path, columns=COLUMNS | {"text": "spoken"}))


def test_a_column_of_a_dataset_is_named_by_the_option(tmp_path):
    pytest.importorskip("datasets", reason="it reads the folder")
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "test-0.parquet", [row | {"more": "x"} for row in ROWS])
    with pytest.raises(DataError, match="name the column with --column text=NAME"):
        list(read_segments(tmp_path, columns={"id": "key"}))
    with pytest.raises(DataError, match="--column text is 'spoken', which is no column"):
        list(read_segments(tmp_path, columns={"text": "spoken"}))
    assert short(read_segments(tmp_path, columns=COLUMNS))[1] == ("b", "bad", -2.0)


def test_a_column_whose_first_cells_are_empty_is_there(tmp_path):
    rows = [{"key": "a", "said": "good"}, {"key": "b", "said": "bad", "opinion": 1.0}]
    found = short(read_segments(write(tmp_path / "own.csv", rows), columns=COLUMNS))
    assert found == [("a", "good", None), ("b", "bad", 1.0)]
    assert not list(read_segments(write(tmp_path / "empty.jsonl", []), columns=COLUMNS))


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_read(tmp_path):
    file = write(tmp_path / "own.jsonl", ROWS)
    file.write_text(f'{{broken\n{file.read_text()}{{"key": "c", "opinion": 1}}\n')
    first, *rest, last = read_segments(file, columns=COLUMNS)
    assert short(rest) == [("a", "a good film", 1.5), ("b", "bad", -2.0)]
    assert isinstance(first, SegmentError) and "line 1 is not JSON" in str(first)
    assert isinstance(last, SegmentError) and "line 4" in str(last) and "'text'" in str(last)


def test_frames_have_a_column_in_parquet_and_files_in_a_list(tmp_path):
    columns = {"text": "said", "visual": "faces"}
    rows = [{"id": "a", "said": "good", "faces": [[1.0, 2.0]]}]
    (found,) = read_segments(
        write(tmp_path / "own.parquet", rows), None, {"visual": 2}, None, columns
    )
    assert np.array_equal(found.frames["visual"], [[1, 2]])
    file = write(tmp_path / "own.jsonl", rows)
    with pytest.raises(DataError, match="--column visual=faces: frames of a list are read from"):
        list(read_segments(file, None, {"visual": 2}, None, columns))


def test_numbers_of_classes_are_no_labels(tmp_path):
    datasets = pytest.importorskip("datasets", reason="its types name classes")
    kind = datasets.ClassLabel(names=["bad", "good"])
    types = datasets.Features(
        {"key": datasets.Value("string"), "said": datasets.Value("string"), "opinion": kind}
    )
    rows = {"key": ["a"], "said": ["good"], "opinion": ["good"]}
    file = tmp_path / "own.parquet"
    datasets.Dataset.from_dict(rows, types).to_parquet(str(file))
    assert short(read_segments(file, columns=COLUMNS)) == [("a", "good", None)]
