"""The columns of a store, typed as the library ``datasets`` types them.

An Arrow schema carries those types in its metadata, under ``huggingface``. They are written here
without importing the library, which takes a second.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from mmf_cmsbert.datasets.segment import Segment, in_order

CHECKSUM = "checksum"
# Columns of further targets: this and their name.
TARGET = "target_"
_PLAIN = {
    "id": pa.string(),
    "video": pa.string(),
    "words": pa.list_(pa.string()),
    "label": pa.float64(),
    "start": pa.float64(),
    "end": pa.float64(),
}


def schema(
    widths: Mapping[str, int], targets: Collection[str] = (), checksums: bool = True
) -> pa.Schema:
    """The columns of segments with these modalities and targets.

    Args:
        widths: modality -> columns of its frames, for the modalities that there are.
        targets: the further targets that there are.
        checksums: whether there is a column with the checksum of each segment.
    """
    types = _PLAIN | {CHECKSUM: pa.uint32()} if checksums else dict(_PLAIN)
    types |= {m: pa.list_(pa.list_(pa.float32(), widths[m])) for m in in_order(widths)}
    types |= {f"{TARGET}{name}": pa.list_(pa.float64()) for name in sorted(targets)}
    types["metadata"] = pa.string()  # JSON, null if empty
    features = {name: _feature(kind) for name, kind in types.items()}
    return pa.schema(
        types.items(), metadata={"huggingface": json.dumps({"info": {"features": features}})}
    )


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_nested(kind):
        # All versions of the library read Sequence; newer ones write List.
        width = {"length": kind.list_size} if pa.types.is_fixed_size_list(kind) else {}
        return {"feature": _feature(kind.value_type), **width, "_type": "Sequence"}
    names = {pa.float32(): "float32", pa.float64(): "float64"}
    return {"dtype": names.get(kind, str(kind)), "_type": "Value"}


def numbers(values: pa.Array, kind: type[np.number]) -> np.ndarray:
    """The numbers of an array, without a copy.

    pyarrow's ``to_numpy`` imports pandas, which takes half a second and 35 MB.

    Raises:
        ValueError: they are of another kind, or some are null.
    """
    if values.null_count or values.type != pa.from_numpy_dtype(kind):
        raise ValueError(f"{values.type} with {values.null_count} nulls")
    content = values.buffers()[1]
    whole = np.frombuffer(content or b"", kind)
    return whole[values.offset : values.offset + len(values)]


def record_batch(
    segments: Sequence[Segment], columns: pa.Schema, checksums: Sequence[int] = ()
) -> pa.RecordBatch:
    """Put segments into the columns of a :func:`schema`.

    Args:
        segments: some segments.
        columns: the schema.
        checksums: the checksum of each segment, if the schema has a column of them.
    """
    arrays = list(_arrays(segments, columns, checksums))
    return pa.record_batch(arrays, schema=columns)


def _arrays(
    segments: Sequence[Segment], columns: pa.Schema, checksums: Sequence[int]
) -> Iterator[pa.Array]:
    for name, kind in zip(columns.names, columns.types, strict=True):
        if pa.types.is_list(kind) and pa.types.is_fixed_size_list(kind.value_type):
            yield _frames([each.frames.get(name) for each in segments], kind)
        elif name.startswith(TARGET):
            values = [each.targets.get(name.removeprefix(TARGET)) for each in segments]
            yield pa.array([None if each is None else list(each) for each in values], kind)
        elif name == CHECKSUM:
            yield pa.array(checksums, kind)
        elif name == "metadata":
            texts = [json.dumps(dict(s.metadata)) if s.metadata else None for s in segments]
            yield pa.array(texts, kind)
        else:
            yield pa.array([getattr(each, name) for each in segments], kind)


def _frames(frames: Sequence[np.ndarray | None], kind: pa.DataType) -> pa.Array:
    """A column of lists of frames; null for a missing modality."""
    offsets = [0, *accumulate(0 if each is None else len(each) for each in frames)]
    there = [each.reshape(-1) for each in frames if each is not None]
    values = pa.array(np.concatenate(there) if there else np.empty(0, np.float32), pa.float32())
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()),
        pa.FixedSizeListArray.from_arrays(values, type=kind.value_type),
        type=kind,
        mask=pa.array([each is None for each in frames], pa.bool_()),
    )
