"""Write ``datasets`` objects of a Python program to files, which are then a source like others."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmf_cmsbert.datasets.readers.dataset_objects import is_rows, is_splits, tables
from mmf_cmsbert.datasets.readers.names import known_splits, split_keys
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import sha256_of, write_error
from mmf_cmsbert.utils.unfinished import scratch_folder

_EXPECTED = (
    "expected a datasets.DatasetDict (or IterableDatasetDict) with the splits train, validation "
    "and test"
)


def write_objects(data: Any, parent: Path) -> Path:
    """Write the splits of a dataset as Arrow files.

    Rows are written as they are computed, a few at a time. Sound and pictures are written too, not
    only the paths of their files.

    Args:
        data: a ``DatasetDict``, an ``IterableDatasetDict``, or a mapping from splits to ``Dataset``
            or ``IterableDataset``.
        parent: the folder to write into.

    Returns:
        The folder that was written, ``data-HASH``, with a hash of its content. The same rows have
        the same folder.

    Raises:
        ConfigError: ``data`` is something else, or names no split.
        DataError: a split has no rows, its rows cannot be written, or a column has classes in one
            split only.
        UserError: the folder cannot be written.
    """
    splits = _splits(data)
    digest = hashlib.sha256()
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(parent) as scratch:
            files = scratch / "data"
            files.mkdir()
            types = {}
            for split, name in splits.items():
                types[name] = _write(data[name], f"data[{name!r}]", files / f"{split}.arrow")
                digest.update(f"{split} {sha256_of(files / f'{split}.arrow')}\n".encode())
            _check_classes(types)
            folder = parent / f"data-{digest.hexdigest()[:12]}"
            if not folder.exists():
                files.rename(folder)
    except OSError as error:
        raise write_error(error, parent) or DataError(
            f"{parent}: data cannot be written there ({error.strerror or error})"
        ) from error
    return folder


def _splits(data: Any) -> dict[str, Any]:
    """Split -> its key in ``data``."""
    if is_rows(data):
        raise ConfigError(
            f"data is one {type(data).__name__}, without splits; {_EXPECTED}, as in "
            "DatasetDict(train=..., validation=..., test=...). dataset.train_test_split(0.2) "
            "divides one"
        )
    if not is_splits(data):
        raise ConfigError(f"data is {describe(data)}; {_EXPECTED}")
    if splits := split_keys(data, "data"):
        return splits
    names = ", ".join(map(str, data))
    raise ConfigError(f"data has the splits {names}; expected names such as {known_splits()}")


def _write(rows: Any, where: str, file: Path) -> Mapping[str, Any]:
    """Write a split; return column -> its type."""
    from datasets import Features
    from datasets.table import embed_table_storage

    writer = None
    with pa.OSFile(str(file), "wb") as sink:
        for table in map(embed_table_storage, tables(rows, where)):
            writer = writer or pa.ipc.new_stream(sink, table.schema)
            writer.write_table(table)
        if writer is None:
            raise DataError(f"{where} has no rows")
        writer.close()
    return Features.from_arrow_schema(table.schema)


def _check_classes(types: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse classes that lost their names in a split: their numbers would count as labels."""
    (first, columns), *others = types.items()
    for split, other in others:
        for name in columns.keys() & other.keys():
            one, two = (getattr(each[name], "names", None) for each in (columns, other))
            if one != two:
                raise DataError(
                    f"data[{split!r}]: the column {name!r} has the type {other[name]}, but "
                    f"{columns[name]} in data[{first!r}]. IterableDataset.map forgets types; state "
                    "them: map(..., features=FEATURES)"
                )
