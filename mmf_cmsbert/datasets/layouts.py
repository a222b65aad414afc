"""Which layout a data file has, and its segments whatever the layout."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets import csd, folder, mag, misa, mmsa
from mmf_cmsbert.datasets.fields import describe
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.unpickler import load_plain
from mmf_cmsbert.datasets.validation import check_aligned, once_each
from mmf_cmsbert.errors import ConfigError, DataError

LAYOUTS = ("auto", "misa", "mag", "mmsa", "csd", "folder")
# Layouts of which one file holds all splits.
_ALL_SPLITS = {"mag": mag, "mmsa": mmsa}


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
) -> list[Segment]:
    """The segments of one split out of all its files, one file after the other.

    Computational sequences (``.csd``) are read together: each holds a part of every segment.

    Args:
        files: files and folders, which exist.
        split: ``train``, ``val`` or ``test``.
        layout: the layout of all of them, or ``auto`` to go by what each is.
        corpus: ``mosi`` or ``mosei``, for the canonical split of computational sequences.
        alignment: ``word`` or ``none``, of computational sequences.
        elsewhere: those that stand in another split's list as well.

    Raises:
        DataError: a file is not of the layout; the message names the file and the entry.
    """
    layouts = [_place(file) if layout == "auto" else layout for file in files]
    sequences = [file for file, each in zip(files, layouts, strict=True) if each == "csd"]
    segments = list(csd.read(sequences, split, corpus, alignment)) if sequences else []
    for file, each in zip(files, layouts, strict=True):
        if each == "folder":
            segments += once_each(folder.read(file, split, file in elsewhere), str(file))
        elif each != "csd":
            segments += read_split(file, split, each)
    return segments


def _place(path: Path) -> str:
    """The layout as far as it shows without unpickling: ``auto`` for what may be a pickle."""
    if folder.recognise(path):
        return "folder"
    if csd.recognise(path):
        return "csd"
    if path.is_dir():
        raise DataError(
            f"{path} is a folder, and holds neither {' nor '.join(folder.NAMES)} nor .csd files; "
            "expected one of these in it, or the name of a file"
        )
    return "auto"


def read_split(path: str | Path, split: str, layout: str = "auto") -> list[Segment]:
    """The segments of one split of a pickle.

    A file that holds all splits is unpickled once: the splits not yet asked for are kept until
    they are.

    Args:
        path: a pickle in the MISA, MAG or MMSA layout.
        split: ``train``, ``val`` or ``test``.
        layout: ``misa``, ``mag``, ``mmsa``, or ``auto`` to go by the content.

    Raises:
        DataError: not such a file; the message names the file and the entry.
    """
    path = Path(path)
    content = _kept(path, split)
    if content is None:
        content = load_plain(path)
    layout = _recognise(content, path) if layout == "auto" else layout
    if layout in _ALL_SPLITS:
        module = _ALL_SPLITS[layout]
        segments = list(once_each(module.read(content, split, str(path)), str(path)))
        _keep(path, {key: content[key] for key in content if key != module.SPLITS[split]})
    else:
        segments = list(once_each(misa.read(content, str(path)), str(path)))
    if layout != "mmsa":
        check_aligned(segments, str(path))
    return segments


def _recognise(content: Any, path: Path) -> str:
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
        f"dicts with id, raw_text, vision, audio (MMSA), found {describe(content)}{first}"
    )


# File -> its splits that nobody asked for yet.
_unread: dict[Path, tuple[tuple[int, int], dict]] = {}


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


def _kept(path: Path, split: str) -> dict | None:
    stamp, splits = _unread.pop(path.resolve(), (None, {}))
    known = any(module.SPLITS[split] in splits for module in _ALL_SPLITS.values())
    return splits if known and stamp == _stamp(path) else None


def _keep(path: Path, splits: dict) -> None:
    if set(splits) & {key for module in _ALL_SPLITS.values() for key in module.SPLITS.values()}:
        _unread[path.resolve()] = (_stamp(path), splits)
