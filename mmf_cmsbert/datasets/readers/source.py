"""What a user points at as a corpus: which files hold which split, and what layout they have."""

import csv
import io
import json
import pickletools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmf_cmsbert.datasets.readers import folder
from mmf_cmsbert.datasets.readers.layouts import recognise
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.errors import ConfigError, DataError

# How files and rows name their split.
_NAMES = {
    "train": "train",
    "dev": "val",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}
_PICKLES = (".pkl", ".pickle")
# A pickle's first instructions say whether it holds a list or a dict, and of what.
_CONTAINERS = {"EMPTY_LIST": list, "LIST": list, "EMPTY_DICT": dict, "DICT": dict}
_START = 4096


@dataclass(frozen=True)
class Source:
    """A corpus as it lies on disk.

    Attributes:
        files: split -> its files; a file with all splits stands under each. Only splits that there
            are.
        layouts: the layouts' names in the order of the files; ``auto`` where it does not show.
    """

    files: dict[str, list[Path]]
    layouts: tuple[str, ...]


def find_source(paths: Sequence[Path], split: str | None = None) -> Source:
    """The files of each split among what a user names.

    Known are a folder with ``train.pkl``, ``dev.pkl``, ``test.pkl`` (MISA), a pickle with all
    splits (MAG, MMSA), a pickle with one split whose name says which, ``.csd`` files or a folder of
    them, a plain folder of segments, and a store. Several are put together.

    Args:
        paths: files and folders.
        split: of sources with several splits the only one that is wanted; of a source with one
            split which it is.

    Raises:
        ConfigError: nothing says which split a source is.
        DataError: no such file, or a folder with none of these in it.
    """
    files: dict[str, list[Path]] = {each: [] for each in SPLITS}
    layouts: dict[str, None] = {}
    for path in (path.expanduser().absolute() for path in paths):
        if not path.exists():
            raise DataError(f"{path}: there is no such file or folder")
        layout, found = _find(path, split)
        layouts[layout] = None
        for each, names in found.items():
            files[each] += names
    files = {each: names for each, names in files.items() if names and split in (None, each)}
    if not files:
        raise DataError(f"{', '.join(map(str, paths))}: there is no {split} split in it")
    return Source(files, tuple(layouts))


def _find(path: Path, split: str | None) -> tuple[str, dict[str, list[Path]]]:
    layout = _layout(path)
    if layout is None and path.is_dir():
        files = _one_file_each(path)
        return _layout(next(iter(files.values()))[0]) or "auto", files
    if layout == "store" and not (path / manifest.NAME).is_file():
        splits = [each for each in SPLITS if (path / each / manifest.NAME).is_file()]
    elif layout == "folder":
        splits = _rows_splits(path) or [_the_split(path, "its rows name none", split)]
    elif layout in ("misa", "store"):
        named = split or _split_of(path.stem)
        splits = [named or _the_split(path, "its name does not say so", split)]
    else:
        splits = list(SPLITS)
    return layout or "auto", {each: [path] for each in splits}


def _layout(path: Path) -> str | None:
    """What shows without reading the file: of a pickle, how it begins."""
    try:
        found = recognise(path)
        return _pickled(path) if found is None and not path.is_dir() else found
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _one_file_each(path: Path) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = {}
    pickles = [file for file in sorted(path.iterdir()) if file.suffix in _PICKLES]
    for file in pickles:
        if split := _NAMES.get(file.stem.lower()):
            files.setdefault(split, []).append(file)
    for names in files.values():
        if len(names) > 1:
            raise DataError(
                f"{path}: {' and '.join(file.name for file in names)} both name the same split; "
                "name the files that are wanted one by one"
            )
    if not files:
        found = f"found {', '.join(f.name for f in pickles[:4])}; name one of these" * bool(pickles)
        raise DataError(
            f"{path}: no corpus in this folder. Expected train.pkl, dev.pkl and test.pkl (MISA), "
            f"{' or '.join(folder.NAMES)} (a plain folder), .csd files, or a store; "
            f"{found or 'found none of them'}"
        )
    return files


def _the_split(path: Path, why: str, split: str | None) -> str:
    if split is None:
        raise ConfigError(
            f"{path}: holds one split, and {why}; type --split train, --split val or --split test"
        )
    return split


def _split_of(name: str) -> str | None:
    """The split that a file's name speaks of, as in ``misa_dev``."""
    found = {_NAMES[word] for word in re.split(r"[^a-z]+", name.lower()) if word in _NAMES}
    return found.pop() if len(found) == 1 else None


def _pickled(path: Path) -> str | None:
    with open(path, "rb") as file:
        start = io.BytesIO(file.read(_START))
    containers: list[type] = []
    try:
        for instruction, _, _ in pickletools.genops(start):
            if instruction.name in _CONTAINERS:
                containers.append(_CONTAINERS[instruction.name])
            if containers[:1] == [list]:
                return "misa"
            if len(containers) == 2:
                return "mag" if containers[1] is list else "mmsa"
    except Exception:  # no pickle, or none that begins so: the reader says what it is
        return None
    return None


def _rows_splits(path: Path) -> list[str]:
    """The splits that the rows of a plain folder name; all three where that cannot be read."""
    file = next((path / n for n in folder.NAMES if (path / n).is_file()), path)
    try:
        named = {row.get("split") for row in _rows(file)} - {None, ""}
    except (ValueError, csv.Error, AttributeError, TypeError, RecursionError):
        return list(SPLITS)
    splits = {_NAMES.get(str(name).strip()) for name in named}
    return [split for split in SPLITS if split in splits] or (list(SPLITS) if named else [])


def _rows(file: Path) -> Iterator[dict]:
    with open(file, encoding="utf-8-sig", newline="") as lines:
        if file.suffix == ".jsonl":
            yield from (json.loads(line) for line in lines if line.strip())
        else:
            yield from csv.DictReader(lines)
