"""Objects of the library ``datasets`` in a Python program: what they are, and their rows."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from mmf_cmsbert.datasets.readers.names import field_named
from mmf_cmsbert.errors import DataError

_BATCH = 64


def is_rows(given: Any) -> bool:
    """Whether an object is a ``Dataset`` or an ``IterableDataset``."""
    library = sys.modules.get("datasets")
    return library is not None and isinstance(given, (library.Dataset, library.IterableDataset))


def is_splits(given: Any) -> bool:
    """Whether an object is a ``DatasetDict``, an ``IterableDatasetDict`` or a mapping like them."""
    return isinstance(given, Mapping) and bool(given) and all(map(is_rows, given.values()))


def tables(rows: Any, where: str) -> Iterator[pa.Table]:
    """Yield the rows as Arrow tables of a few rows each, all with the same schema.

    Args:
        rows: a ``Dataset`` or an ``IterableDataset``, of which the rows are computed one by one.
        where: what the user calls it, for messages.

    Raises:
        DataError: it has a transform that Arrow tables do not show, or a row has columns of other
            types than the first ones.
    """
    found = getattr(rows, "format", {})
    if found.get("type") == "custom":
        raise DataError(
            f"{where} computes its rows by set_transform or with_transform, which is lost when "
            "they are stored; use map instead"
        )
    if found and not found["output_all_columns"]:
        rows = rows.select_columns(found["columns"])  # those that the user sees
    schema = rows.features and rows.features.arrow_schema
    for table in rows.with_format("arrow").iter(batch_size=_BATCH):
        schema = schema or table.schema
        try:
            yield table.cast(schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
            raise DataError(
                f"{where}: a row does not have the types of the first rows ({str(error)[:200]}); "
                "state them: IterableDataset.from_generator(..., features=Features({...}))"
            ) from error


def without_classes(rows: Any) -> Any:
    """Return the rows without labels that are numbers of classes."""
    types = rows.features or {}
    classes = [n for n in types if field_named(n) == "label" and hasattr(types[n], "names")]
    return rows.select_columns([n for n in types if n not in classes]) if classes else rows
