"""A store as a ``datasets.Dataset``: typed columns over the store's own file, without a copy."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mmf_cmsbert.datasets.segment import MODALITIES
from mmf_cmsbert.errors import DataError


def features(widths: Mapping[str, int]) -> Any:
    """The types of the columns, as the library ``datasets`` knows them.

    Args:
        widths: modality -> columns of its frames, for the modalities that there are.

    Raises:
        DataError: the library is not installed.
    """
    try:
        from datasets import Features, List, Value
    except ImportError as error:
        raise DataError(
            "the package datasets is not installed; type pip install datasets"
        ) from error
    return Features(
        {
            "id": Value("string"),
            "video": Value("string"),
            "words": List(Value("string")),
            "label": Value("float64"),
            "start": Value("float64"),
            "end": Value("float64"),
            **{
                modality: List(List(Value("float32"), length=widths[modality]))
                for modality in MODALITIES
                if modality in widths
            },
            "metadata": Value("string"),
        }
    )


def view(file: Path, widths: Mapping[str, int]) -> Any:
    """The segments of a store's file as a ``datasets.Dataset``.

    The file is memory-mapped: frames are read when they are used, and take no private memory.

    Args:
        file: the Arrow file of a store.
        widths: modality -> columns of its frames.

    Raises:
        DataError: the library is not installed.
    """
    types = features(widths)
    from datasets import Dataset
    from datasets.table import InMemoryTable

    schema = types.arrow_schema
    with pa.memory_map(str(file)) as mapped, pa.ipc.open_file(mapped) as reader:
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
    typed = [_typed(batch, schema, widths) for batch in batches]
    table = pa.Table.from_batches(typed, schema)
    return Dataset(InMemoryTable(table))


def _typed(batch: pa.RecordBatch, schema: pa.Schema, widths: Mapping[str, int]) -> pa.RecordBatch:
    columns = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name in MODALITIES:
            columns.append(_frames(batch.column(name), widths[name]))
        elif name in batch.schema.names:
            columns.append(batch.column(name).cast(kind))
        else:  # stores of the first versions have no metadata
            columns.append(pa.nulls(batch.num_rows, kind))
    return pa.record_batch(columns, schema=schema)


def _frames(column: pa.ListArray, width: int) -> pa.ListArray:
    """Lists of frames over the same numbers; the store has those of a segment in one flat list."""
    frames = pa.FixedSizeListArray.from_arrays(column.values, width)
    offsets = pc.divide(column.offsets, pa.scalar(width, pa.int32()))
    return pa.ListArray.from_arrays(offsets, frames, mask=column.is_null())
