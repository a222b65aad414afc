"""Find the shards in the files, folders and patterns that a user names."""

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmf_cmsbert.datasets.readers import dataset_files, registry
from mmf_cmsbert.datasets.readers.names import split_in
from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.errors import ConfigError, DataError

# Files of a folder that can be shards.
SUFFIXES = (".parquet", ".arrow", ".jsonl", ".csv", ".tsv")


def find_shards(words: Sequence[Path]) -> list[Path]:
    """Return the shards in order: those of a folder or pattern by name.

    A folder with a corpus of its own, such as a list with feature files, is one shard, and a store
    of shards is its shards.

    Args:
        words: files, folders, and patterns such as ``parts/*.parquet``.

    Raises:
        ConfigError: a shard is named twice.
        DataError: a path does not exist, or a folder or pattern holds no shards.
    """
    found = [shard for word in words for shard in _shards(word.expanduser())]
    check_once(found)
    return [path.absolute() for path in found]


def name_of(shard: Path) -> str:
    """Return a name for the output of a shard, without a suffix."""
    return shard.name if shard.is_dir() else shard.stem


def check_once(shards: Iterable[Path]) -> None:
    """Raise a ConfigError if two of the paths are the same file."""
    seen: dict[Path, Path] = {}
    for path in shards:
        if (other := seen.setdefault(path.resolve(), path)) is not path:
            same = "" if str(other) == str(path) else f", as {other}"
            raise ConfigError(f"{path} is named twice{same}; remove one of them")


def _shards(path: Path) -> list[Path]:
    if path.is_dir():
        if (path / manifest.NAME).is_file():  # a store of shards, or of one
            return [path / name for name, _, _ in manifest.read_manifest(path).shards] or [path]
        return [path] if _is_corpus(path) else _in_folder(path)
    if path.exists():
        return [path]
    if not glob.has_magic(str(path)):
        raise DataError(f"{path}: there is no such file or folder")
    if not (found := sorted(map(Path, glob.glob(str(path), recursive=True)))):
        raise DataError(f"{path}: no file has such a name")
    return [each for each in found if each.is_file() or _is_corpus(each)]


def _in_folder(folder: Path) -> list[Path]:
    splits = [each for each in folder.iterdir() if each.is_dir() and split_in(each.name)]
    in_splits = (file for each in splits for file in each.iterdir())
    for files in (folder.iterdir(), folder.glob("data/*"), in_splits):
        visible = (each for each in files if not each.name.startswith((".", "_")))
        if found := sorted(each for each in visible if each.suffix.lower() in SUFFIXES):
            return found
    raise DataError(
        f"{folder}: no shards in this folder; expected files with a name in {', '.join(SUFFIXES)}"
    )


def _is_corpus(folder: Path) -> bool:
    """Whether a folder is read as one corpus, not file by file."""
    layout = registry.recognise(folder)
    return layout is not None and (layout.name != "datasets" or dataset_files.is_saved(folder))
