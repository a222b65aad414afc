"""Open what the library ``datasets`` reads: its folders, Parquet, Arrow, JSON and CSV files.

Rows are streamed: no second copy of the data is written, and nothing is memory-mapped.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from mmf_cmsbert.datasets.readers import arrow_limits, hub_reference, text_limits
from mmf_cmsbert.datasets.readers.names import split_named
from mmf_cmsbert.datasets.readers.parquet_rows import MOST_ROWS, ParquetRows
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json

# Suffix -> the library's name of the format
FORMATS = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".jsonl": "json",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
}
_OF_DICT, _OF_SPLIT = "dataset_dict.json", "state.json"
_LARGEST = 1 << 26


def is_saved(path: Path) -> bool:
    """Whether a folder was written by ``save_to_disk``."""
    return (path / _OF_DICT).is_file() or (path / _OF_SPLIT).is_file()


def is_repository(path: Path) -> bool:
    """Whether a folder has Parquet or Arrow files where repositories of the hub have them."""
    return any(
        next(path.glob(pattern), None) is not None
        for pattern in ("*.parquet", "data/*.parquet", "*/*.parquet")
    )


def splits_of(path: Path) -> list[str]:
    """The splits of a folder or a reference, under this package's names.

    Raises:
        DataError: it cannot be read.
    """
    return [split for name in _opened(path) if (split := split_named(name))]


def rows_of(path: Path, split: str) -> Any:
    """The rows of a split, as :class:`ParquetRows`, or an ``IterableDataset`` of Arrow tables.

    Args:
        path: a file, a folder or a reference.
        split: ``train``, ``val`` or ``test``; a single file is read for any of them.

    Raises:
        DataError: it cannot be read, or has no such split.
    """
    found = _opened(path)
    if path.is_file() and not hub_reference.is_reference(path):
        return next(iter(found.values()))
    names = [name for name in found if split_named(name) == split]
    if not names and len(found) == 1 and (path / _OF_SPLIT).is_file():
        return next(iter(found.values()))
    if len(names) != 1:
        raise DataError(
            f"{path}: {'no' if not names else 'more than one'} {split} split; its splits are "
            f"{', '.join(found)}"
        )
    return found[names[0]]


def tables_of(rows: Any, path: Path) -> Iterator[pa.Table]:
    """Yield the rows as Arrow tables of a few rows each.

    Raises:
        DataError: a file is damaged.
    """
    with _named_errors(path):
        if isinstance(rows, ParquetRows):
            yield from rows.tables()
        else:
            yield from rows.with_format("arrow").iter(batch_size=MOST_ROWS)


def features_of(rows: Any, path: Path) -> Mapping[str, Any]:
    """Column -> its type. CSV files state none; their first rows show it.

    Raises:
        DataError: a file is damaged.
    """
    if rows.features is not None:
        return dict(rows.features)
    from datasets import Features

    with _named_errors(path):
        first = next(iter(rows.with_format("arrow").iter(batch_size=MOST_ROWS)), None)
    return {} if first is None else dict(Features.from_arrow_schema(first.schema))


def _opened(path: Path) -> Mapping[str, Any]:
    from datasets import load_dataset

    with _named_errors(path):
        if hub_reference.is_reference(path):
            address = hub_reference.read(path)
            if address.streaming:
                return _repository(address.repository, address.config, address.revision)
            folder = hub_reference.downloaded(address)
            return _repository(folder, address.config)
        if path.is_file():
            kind = FORMATS[path.suffix.lower()]
            if kind == "parquet":
                return {"all": ParquetRows.of([str(path)])}
            _check_size(path)
            cells = {"sep": "\t"} if path.suffix.lower() == ".tsv" else {}
            return dict(load_dataset(kind, data_files=str(path), streaming=True, **cells))
        if is_saved(path):
            files = {name: _saved_files(folder) for name, folder in _saved(path).items()}
            return dict(load_dataset("arrow", data_files=files, streaming=True))
        return _repository(path, None)


def _repository(
    place: Path | str, config: str | None, revision: str | None = None
) -> Mapping[str, Any]:
    """The rows of a folder, or of a repository of the hub."""
    from datasets import load_dataset, load_dataset_builder

    builder = load_dataset_builder(str(place), config, revision=revision)
    splits = builder.config.data_files or {}
    if isinstance(place, Path):
        _check_files(place, splits)
    if all(str(f).lower().endswith(".parquet") for files in splits.values() for f in files):
        types = builder.info.features
        return {str(name): ParquetRows.of(list(files), types) for name, files in splits.items()}
    return dict(load_dataset(str(place), config, revision=revision, streaming=True))


def _check_files(folder: Path, splits: Mapping[str, Any]) -> None:
    """Refuse data outside of a folder, which the card of a downloaded dataset may name."""
    for file in (file for files in splits.values() for file in files):
        # Not resolved: files of the hub's cache are links to another folder of it.
        place = Path(os.path.normpath(file))
        if "://" in str(file) or not place.is_relative_to(folder.absolute()):
            raise DataError(
                f"{folder}: its README.md names {str(file)[:200]} as data, which is not in the "
                "folder; refused"
            )
        _check_size(place)


def _saved(path: Path) -> dict[str, Path]:
    if not (path / _OF_DICT).is_file():
        return {split_named(path.name) or "test": path}
    names = read_json(path / _OF_DICT, _LARGEST)["splits"]
    if not all(isinstance(name, str) and name.isidentifier() for name in names):
        raise ValueError(f"splits {str(names)[:80]}")
    return {name: path / name for name in names}


def _saved_files(folder: Path) -> list[str]:
    names = [each["filename"] for each in read_json(folder / _OF_SPLIT, _LARGEST)["_data_files"]]
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise DataError(f"{folder}: {name[:80]!r} of {_OF_SPLIT} is no file of the folder")
        arrow_limits.check(folder / name)
    return [str(folder / name) for name in names]


def _check_size(file: Path) -> None:
    """Refuse a file that could take far more memory than its size."""
    if file.suffix.lower() == ".arrow":
        arrow_limits.check(file)
    else:
        text_limits.check(file)


@contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Name the file in the errors of the library, of which it documents few."""
    try:
        yield
    except (DataError, MemoryError):
        raise
    except ImportError as error:
        raise DataError(
            f"{path}: reading it takes the package datasets; type pip install datasets"
        ) from error
    except Exception as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        if hub_reference.is_reference(path):
            address = hub_reference.read(path)
            raise DataError(f"{address}: {hub_reference.explain(error, address)}") from error
        reason = " ".join(str(cause).split())[:300]
        raise DataError(f"{path}: cannot be read ({type(cause).__name__}: {reason})") from error
