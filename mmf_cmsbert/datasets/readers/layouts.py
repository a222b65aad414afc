"""Which layout a data file has, and its segments whatever the layout."""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers import csd, folder, mag, misa, mmsa
from mmf_cmsbert.datasets.readers.names import field_named, known_splits, split_named
from mmf_cmsbert.datasets.readers.streams import aligned_only, bounded, once_each
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.datasets.readers.unpickler import load_plain
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import ConfigError, DataError, SegmentError

LAYOUTS = ("auto", "misa", "mag", "mmsa", "csd", "folder", "store")


def check_layout(layout: Any, key: str) -> None:
    """Raise unless ``layout``, the value of ``key``, names a layout that can be read.

    Raises:
        ConfigError: the message lists the layouts.
    """
    if layout not in LAYOUTS:
        raise ConfigError(f"{key} is {layout!r}; expected one of {', '.join(LAYOUTS)}")


def read_files(
    files: Sequence[Path],
    split: str,
    layout: str = "auto",
    corpus: str = "mosi",
    alignment: str = "word",
    elsewhere: Collection[Path] = (),
    vocabulary: Sequence[str] | None = None,
    on_count: Callable[[int], Any] = lambda count: None,
) -> Iterator[Segment | SegmentError]:
    """The segments of one split out of all its files, one file after the other, as they are read.

    An error stands in the place of a segment that cannot be used, also of one whose id came before,
    in whatever file. Computational sequences (``.csd``) are read together: each holds a part of
    every segment.

    Args:
        files: files and folders, which exist.
        split: ``train``, ``val`` or ``test``.
        layout: the layout of all of them, or ``auto`` to go by what each is.
        corpus: ``mosi`` or ``mosei``, for the canonical split of computational sequences.
        alignment: ``word`` or ``none``, of computational sequences.
        elsewhere: those that stand in another split's list as well.
        vocabulary: the word pieces, by id, of MMSA files that have ids and no text; or None.
        on_count: told how many segments a file will give, where the file says so beforehand.

    Raises:
        DataError: a file is damaged or not of the layout; the message names the file.
    """
    layouts = [_layout_of(file) if layout == "auto" else layout for file in files]
    sequences = [file for file, each in zip(files, layouts, strict=True) if each == "csd"]
    streams = []
    if sequences:
        streams.append(bounded(csd.read(sequences, split, corpus, alignment), sequences))
    for file, each in zip(files, layouts, strict=True):
        if each == "folder":
            streams.append(folder.read(file, split, file in elsewhere))
        elif each == "store":
            streams.append(_of_store(file, split, on_count))
        elif each != "csd":
            pickled = _of_pickle(file, split, each, vocabulary, on_count)
            streams.append(bounded(pickled, [file]))
    yield from once_each(chain.from_iterable(streams), ", ".join(map(str, files)))


def recognise(path: Path) -> str | None:
    """The layout of a file or folder, as far as it shows without unpickling; None if it does not.

    A folder with a store in it is a store, whatever else lies there.
    """
    if any((place / manifest.NAME).exists() for place in (path, *(path / s for s in SPLITS))):
        return "store"
    if folder.recognise(path):
        return "folder"
    return "csd" if csd.recognise(path) else None


def _layout_of(path: Path) -> str:
    layout = recognise(path)
    if layout is None and path.is_dir():
        raise DataError(
            f"{path} is a folder, and holds neither {' nor '.join(folder.NAMES)} nor .csd files "
            "nor stores; expected one of these in it, or the name of a file"
        )
    return layout or "auto"


def _of_store(path: Path, split: str, on_count: Callable[[int], Any]) -> Iterator[Segment]:
    own = (path / manifest.NAME).exists()
    if not own and not (path / split / manifest.NAME).exists():
        raise DataError(
            f"{path}: no store of the {split} split, which is a folder {split} with "
            f"{manifest.NAME} in it"
        )
    segments = StoredSegments(path if own else path / split)
    on_count(len(segments))
    yield from segments


def _of_pickle(
    path: Path,
    split: str,
    layout: str,
    vocabulary: Sequence[str] | None,
    on_count: Callable[[int], Any],
) -> Iterator[Segment | SegmentError]:
    size = path.stat().st_size
    content = load_plain(path)
    layout = _layout_of_content(content, path) if layout == "auto" else layout
    on_count(_count(content, split))
    if layout == "mmsa":
        segments = mmsa.read(content, split, str(path), vocabulary)
    elif layout == "mag":
        segments = aligned_only(mag.read(content, split, str(path)), str(path))
    else:
        segments = aligned_only(misa.read(content, str(path)), str(path))
    for segment in segments:
        # Reading what is no longer there would end the process: the file is mapped.
        if path.stat().st_size < size:
            raise DataError(f"{path}: cut short while it was read; start again when it is complete")
        yield segment


def _count(content: Any, split: str) -> int:
    """How many segments of a split there will be, 0 where the content is not what it should be."""
    if isinstance(content, dict):
        content = next((v for k, v in content.items() if split_named(k) == split), content)
    if isinstance(content, dict):
        content = next((v for k, v in content.items() if field_named(k) == "id"), None)
    return len(content) if isinstance(content, (list, tuple)) or np.ndim(content) else 0


def _layout_of_content(content: Any, path: Path) -> str:
    if misa.recognise(content):
        return "misa"
    if mag.recognise(content):
        return "mag"
    if mmsa.recognise(content):
        return "mmsa"
    first = f", whose first entry is {describe(content[0])}" if type(content) is list else ""
    raise DataError(
        f"{path}: not a layout that is known here. Expected a list of {misa.ENTRY} (MISA), a "
        f"dict train, dev, test of lists of {mag.ENTRY} (MAG), or a dict train, valid, test of "
        f"dicts with id, raw_text, vision, audio (MMSA), found {describe(content)}{first}. Other "
        f"names of the splits: {known_splits()}"
    )
