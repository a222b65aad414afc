"""Rows of Parquet files, read in bounded memory.

A few bytes of Parquet can stand for gigabytes: repeated values take no space, and the library
``datasets`` decodes whole row groups. Here rows are decoded a few at a time, repeated texts stay in
their dictionary until their size is known, and what remains too large is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mmf_cmsbert.errors import DataError

MOST_ROWS = 64
# Bytes of a batch that more rows are not added to.
_BATCH = 1 << 26
# A row group may decode to more than this if it is not a hundred times its size in the file.
_LARGEST, _RATIO = 1 << 30, 100
# Bytes of a value of Parquet's types; a text has its own bytes besides.
_BYTES = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}


@dataclass(frozen=True)
class ParquetRows:
    """The rows of some Parquet files.

    Attributes:
        files: paths, or addresses that fsspec opens.
        features: column -> its type of the library ``datasets``.
        columns: the columns to read.
    """

    files: Sequence[str]
    features: Any
    columns: Sequence[str]

    @classmethod
    def of(cls, files: Sequence[str], features: Any = None) -> "ParquetRows":
        """Return the rows of files, with the types of the first one unless they are given."""
        from datasets import Features

        if features is None:
            with _opened(files[0]) as file:
                features = Features.from_arrow_schema(pq.read_schema(file))
        return cls(files, features, list(features))

    def select_columns(self, columns: Sequence[str]) -> "ParquetRows":
        """Return the rows with these columns alone."""
        return replace(self, columns=columns)

    def tables(self) -> Iterator[pa.Table]:
        """Yield Arrow tables of a few rows each.

        Raises:
            DataError: the values of some rows take far more memory than the file.
            Exception: a file is damaged; pyarrow raises several types.
        """
        from datasets import Features
        from datasets.table import table_cast

        schema = Features({name: self.features[name] for name in self.columns}).arrow_schema
        for name in self.files:
            with _opened(name) as file:
                plain = pq.read_schema(file)
                for batch in _batches(file, name, self.columns):
                    stated = pa.schema([plain.field(each) for each in batch.schema.names])
                    table = pa.Table.from_batches([batch]).cast(stated)
                    yield table_cast(table.select(schema.names), schema)


def _opened(name: str) -> Any:
    import fsspec  # type: ignore[import-untyped]

    return fsspec.open(name, "rb")


def _batches(file: Any, name: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    metadata = pq.read_metadata(file)
    leaves = [metadata.schema.column(number) for number in range(len(metadata.schema))]
    texts = [each.path for each in leaves if each.physical_type == "BYTE_ARRAY"]
    with pq.ParquetFile(file, metadata=metadata, read_dictionary=texts) as opened:
        for number in range(metadata.num_row_groups):
            group = metadata.row_group(number)
            size = _decoded(group, f"{name}: row group {number}", columns)
            rows = max(1, min(MOST_ROWS, _BATCH * group.num_rows // max(1, size)))
            for batch in opened.iter_batches(rows, [number], columns=list(columns)):
                if (size := sum(map(_text_bytes, batch.columns))) > _LARGEST:
                    raise DataError(
                        f"{name}: row group {number}: {batch.num_rows} rows have {size:,} bytes of "
                        f"text; expected at most {_LARGEST:,}"
                    )
                yield batch


def _decoded(group: Any, where: str, columns: Sequence[str]) -> int:
    """Bytes of the values of a row group in memory, without the repetitions of texts."""
    decoded = stored = 0
    for number in range(group.num_columns):
        leaf = group.column(number)
        if leaf.path_in_schema.split(".")[0] in columns:
            values = leaf.num_values * _BYTES.get(leaf.physical_type, 0)
            decoded += max(values, leaf.total_uncompressed_size)
            stored += leaf.total_compressed_size
    if decoded > max(_LARGEST, _RATIO * stored):
        raise DataError(
            f"{where} takes {stored:,} bytes in the file and {decoded:,} in memory; refused, as it "
            f"is more than {_LARGEST:,} and {_RATIO} times the former. If the data is right, write "
            "it with smaller row groups"
        )
    return decoded


def _text_bytes(values: pa.Array) -> int:
    """Bytes of the texts in a column, repetitions counted."""
    if pa.types.is_dictionary(values.type):
        lengths = pc.binary_length(values.dictionary).cast(pa.int64())
        return pc.sum(lengths.take(values.indices)).as_py() or 0
    if pa.types.is_struct(values.type):
        return sum(map(_text_bytes, values.flatten()))
    if pa.types.is_nested(values.type) and not pa.types.is_map(values.type):
        return _text_bytes(values.flatten())
    return 0
