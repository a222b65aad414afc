"""Search a folder that is not itself a corpus for files and subfolders with a corpus."""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from mmf_cmsbert.datasets.readers import registry
from mmf_cmsbert.datasets.readers.media_files import media_in, media_message
from mmf_cmsbert.datasets.readers.names import FIELD_NAMES, split_in, split_named
from mmf_cmsbert.datasets.readers.pickled_layout import SUFFIXES as PICKLES
from mmf_cmsbert.datasets.segment import FACE_VOICE, SPLITS
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular

# Folders with more subfolders than this are not searched: they are unlikely to hold a corpus.
_MOST_FOLDERS = 50
_SHOWN = 4
_LABEL_COLUMNS = {"video_id", "clip_id", "text", "label", "annotation", "mode"}
_LONGEST_HEADER = 1 << 12
_FEATURES = {name for modality in FACE_VOICE for name in FIELD_NAMES[modality]}


class NothingFound(DataError):
    """A folder has no corpus."""


def files_by_split(path: Path, suffixes: Sequence[str]) -> tuple[dict[str, list[Path]], list[Path]]:
    """Return a folder's files that may hold segments: split -> its file, and files without a split.

    A file named ``dev.pkl`` is preferred over ``mosi_dev.pkl``.

    Args:
        path: the folder.
        suffixes: suffixes of the files, in lower case.

    Raises:
        DataError: two files name the same split.
    """
    files = [f for f in sorted(path.iterdir()) if f.suffix.lower() in suffixes and not f.is_dir()]
    named: dict[str, list[Path]] = {}
    for split in SPLITS:
        exact = [file for file in files if split_named(file.stem) == split]
        found = exact or [file for file in files if split_in(file.stem) == split]
        if len(found) > 1:
            raise DataError(
                f"{path}: {' and '.join(file.name for file in found)} both name the same split; "
                "name the files to read one by one"
            )
        if found:
            named[split] = found
    # A .json may be anything; a list of segments is named segments, or after its split.
    return named, [f for f in files if split_in(f.stem) is None and f.suffix.lower() != ".json"]


def without_label_tables(files: Sequence[Path]) -> list[Path]:
    """Return the files without the ``label.csv`` that MMSA ships beside its pickles.

    The pickles hold the same segments with their frames.

    Raises:
        OSError: a table cannot be read.
    """
    return [file for file in files if not _is_label_table(file)]


def _is_label_table(file: Path) -> bool:
    if file.suffix.lower() not in (".csv", ".tsv"):
        return False
    with open_regular(file) as opened:
        header = opened.readline(_LONGEST_HEADER).decode("utf-8-sig", "replace")
    columns = {name.strip().strip('"').lower() for name in re.split("[,;\t]", header)}
    return columns >= _LABEL_COLUMNS


def named_pickles(path: Path) -> list[Path]:
    """Return the pickles of a folder whose name is exactly that of a split."""
    files = [file for file in path.iterdir() if file.suffix.lower() in PICKLES]
    return sorted(file for file in files if split_named(file.stem))


def folders(path: Path) -> list[Path]:
    """Return the subfolders that may hold a corpus; empty if there are very many."""
    found = (
        each
        for each in path.iterdir()
        if not each.name.startswith(".") and each.name not in _FEATURES and each.is_dir()
    )
    first = list(islice(found, _MOST_FOLDERS + 1))
    return sorted(first) if len(first) <= _MOST_FOLDERS else []


def several(path: Path, found: Sequence[Path]) -> DataError:
    """Return the error for a folder with more than one possible corpus."""
    return DataError(
        f"{path}: more than one possible corpus in this folder; name one of {_names(found)}, for "
        f"example {found[0]}"
    )


def nothing(path: Path) -> NothingFound:
    """Return the error for a folder without a corpus."""
    there = sorted(each for each in path.iterdir() if not each.name.startswith("."))
    found = f"found {_names(there)}" if there else "found nothing"
    media = media_in([path])
    known = (example for each in registry.layouts() for example in each.examples)
    *others, last = dict.fromkeys(known)
    return NothingFound(
        f"{path}: no corpus in this folder. Expected {', '.join(others)}, or {last}; "
        f"{found}{f'. {media_message(media)}' if media else ''}"
    )


def _names(files: Sequence[Path]) -> str:
    more = ", ..." if len(files) > _SHOWN else ""
    return ", ".join(file.name for file in files[:_SHOWN]) + more
