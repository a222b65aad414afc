"""Parquet files are read in bounded memory, however much they stand for."""

import numpy as np
import pytest

datasets = pytest.importorskip("datasets", reason="types of columns")

import pyarrow as pa  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from mmf_cmsbert.datasets.readers import parquet_rows  # noqa: E402
from mmf_cmsbert.datasets.readers.parquet_rows import ParquetRows  # noqa: E402
from mmf_cmsbert.datasets.readers.reading import read_files  # noqa: E402
from mmf_cmsbert.errors import DataError  # noqa: E402


def repeated(text, rows):
    """A column that has one text many times."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))


def write(path, options=None, **columns):
    count = len(next(iter(columns.values())))
    table = pa.table(columns | {"label": np.zeros(count)})
    pq.write_table(table, path, compression="zstd", store_schema=False, **options or {})
    return path


def test_a_text_that_a_million_rows_repeat_takes_no_memory_for_each(tmp_path):
    """Two gigabytes, from 200 kilobytes; the library would decode all rows at once."""
    file = write(tmp_path / "train.parquet", text=repeated("good " * 400, 1_000_000))
    assert file.stat().st_size < 300_000
    before, most = pa.total_allocated_bytes(), 0
    segments = read_files([file], "train")
    for _ in range(200):
        assert len(next(segments).words) == 400
        most = max(most, pa.total_allocated_bytes() - before)
    assert most < 30_000_000


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"text": ["good"], "visual": pa.array([np.zeros(3_000_000, np.float32)])},
            r"row group 0 takes \d+ bytes in the file and 12,000,\d+ in memory; refused",
        ),
        (
            {"text": ["good"] * 40_000, "visual": pa.array([np.zeros(90, np.float32)] * 40_000)},
            "row group 0 takes .* write it with smaller row groups",
        ),
        (
            {"text": repeated("good " * 40_000, 100)},
            "row group 0: 64 rows have 12,800,000 bytes of text; expected at most 1,000,000",
        ),
        (
            {"words": pa.ListArray.from_arrays([0, 1000], repeated("good" * 400, 1000))},
            "row group 0: 1 rows have 1,600,000 bytes of text",
        ),
        (
            {
                "text": ["good"],
                "sound": pa.StructArray.from_arrays([repeated("a" * 2_000_000, 1)], ["bytes"]),
            },
            "",  # not read
        ),
    ],
    ids=["one cell of zeros", "many cells of zeros", "long texts", "words of one row", "unused"],
)
def test_what_is_far_larger_than_the_file_is_refused(tmp_path, monkeypatch, columns, message):
    monkeypatch.setattr(parquet_rows, "_LARGEST", 1_000_000)
    file = write(tmp_path / "train.parquet", **columns)
    if not message:
        assert len(list(read_files([file], "train"))) == 1
        return
    with pytest.raises(DataError, match=f"train.parquet: {message}"):
        list(read_files([file], "train", widths={"visual": 30}))


def test_large_row_groups_of_real_numbers_are_read_a_few_rows_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_rows, "_LARGEST", 1_000_000)
    monkeypatch.setattr(parquet_rows, "_BATCH", 100_000)
    frames = np.random.default_rng(0).normal(size=(100, 3000)).astype(np.float32)
    file = write(tmp_path / "train.parquet", text=["good"] * 100, visual=pa.array(list(frames)))
    rows = ParquetRows.of([str(file)])
    tables = list(rows.tables())
    assert max(table.num_rows for table in tables) < 10
    found = pa.concat_tables(tables)["visual"].combine_chunks().flatten()
    assert np.array_equal(found.to_numpy(), frames.reshape(-1))


def test_columns_of_every_kind_come_back_as_they_were_written(tmp_path):
    from datasets import Array2D, ClassLabel, Dataset, Features, List, Value

    features = Features(
        {
            "text": Value("large_string"),
            "words": List(Value("string")),
            "label": ClassLabel(names=["bad", "good"]),
            "visual": Array2D((None, 2), "float32"),
            "acoustic": List(List(Value("float64"), length=3)),
            "speaker": {"name": Value("string"), "tags": List(Value("string"))},
        }
    )
    row = {
        "text": "good",
        "words": ["good", None, ""],
        "label": 1,
        "visual": [[1.0, 2.0]],
        "acoustic": [[1.0, 2.0, 3.0]] * 2,
        "speaker": {"name": "ann", "tags": ["a", "b"]},
    }
    empty = dict.fromkeys(row)
    given = Dataset.from_list([row, empty, row], features=features)
    given.to_parquet(tmp_path / "all.parquet")
    rows = ParquetRows.of([str(tmp_path / "all.parquet")])
    assert rows.features == features
    (table,) = rows.tables()
    assert table.schema.types == features.arrow_schema.types
    assert table.drop_columns("visual").to_pylist() == given.remove_columns("visual").to_list()
    arrays = [None if cell.value is None else cell.value.as_py() for cell in table["visual"]]
    assert arrays == [row["visual"], None, row["visual"]]
    (chosen,) = rows.select_columns(["label", "text"]).tables()
    assert chosen.column_names == ["label", "text"]
