"""Find the corpus in the paths that a user names: the files of each split, and their layouts.

All commands resolve paths here, so that they accept the same paths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers import registry, source_folder
from mmf_cmsbert.datasets.readers.layout import Layout
from mmf_cmsbert.datasets.readers.media_files import EXTRACTORS, is_media
from mmf_cmsbert.datasets.readers.names import split_in
from mmf_cmsbert.datasets.readers.pickled_layout import likely_layout
from mmf_cmsbert.datasets.readers.source_folder import NothingFound
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import ConfigError, DataError, UserError
from mmf_cmsbert.files import check_regular

# A corpus is searched in a folder, and at most this many levels below it.
_DEEPEST = 3
_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".7z", ".rar", ".zst")


@dataclass(frozen=True)
class Source:
    """A corpus on disk.

    Attributes:
        files: split -> its files, for the splits that the source has; a file with all splits is
            listed for each.
        layouts: the names of the layouts, in the order of the files; ``auto`` if only reading a
            file shows its layout.
        unnamed: the files that name no split. If no file does, they are the test split.
    """

    files: dict[str, list[Path]]
    layouts: tuple[str, ...]
    unnamed: tuple[Path, ...] = ()


@dataclass
class _Found:
    files: dict[str, list[Path]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    layouts: dict[str, None] = field(default_factory=dict)
    unnamed: list[Path] = field(default_factory=list)
    named: Sequence[Path] = ()  # the paths that the user named; empty in subfolders

    def add(self, layout: str, files: dict[str, list[Path]], unnamed: Sequence[Path] = ()) -> None:
        self.layouts[layout] = None
        self.unnamed += unnamed
        for split, each in files.items():
            self.files[split] += each

    def take(self, other: "_Found | UserError", only: str | None = None) -> None:
        """Add the files found in a subfolder, or only those of the split ``only``."""
        if isinstance(other, UserError):
            raise other
        self.layouts |= other.layouts
        self.unnamed += other.unnamed
        for split, each in other.files.items():
            self.files[split] += each if only in (None, split) else []


def find_source(
    paths: Sequence[Path],
    split: str | None = None,
    layout: str = registry.AUTO,
    levels: int | None = None,
) -> Source:
    """Find the files of each split in the files and folders that a user names.

    A path is a pickle with all splits (MAG, MMSA) or with one (MISA), a list of segments, a
    ``.csd`` file, a store, or a folder: of ``.csd`` files, of stores, a user's folder of segments,
    or one whose files or subfolders name their split (``train``; ``dev``, ``val``, ``valid`` or
    ``validation``; ``test``). A folder with exactly one corpus in its subfolders counts as that
    corpus. Several paths make one source.

    Args:
        paths: files and folders.
        split: the only split to read; also the split of files that name none.
        layout: the layout of all files, or ``auto``.
        levels: how many levels of subfolders to search in a folder that is not itself a corpus.

    Returns:
        The source. Segments without a named split count as test.

    Raises:
        ConfigError: some files name their split and others do not.
        DataError: a path is missing, or a folder has no corpus.
    """
    paths = [_checked(path) for path in paths]
    found = _Found(named=paths)
    for path in paths:
        _find(path, split, layout, found, _DEEPEST if levels is None else levels)
    named = any(found.files.values())
    if found.unnamed and split is not None:
        found.files[split] += found.unnamed
    elif found.unnamed and named:
        raise ConfigError(
            f"{found.unnamed[0]}: names no split, but other files name theirs; read it separately "
            "with --split train, --split val or --split test, or list it under "
            "annotations.train, val or test"
        )
    elif found.unnamed:
        found.files["test"] += found.unnamed
    files = {each: names for each, names in found.files.items() if names and split in (None, each)}
    if not files:
        raise DataError(f"{', '.join(map(str, paths))}: there is no {split} split in it")
    return Source(files, tuple(found.layouts), tuple(found.unnamed))


def _checked(path: Path) -> Path:
    """Return the absolute path, after checking that it exists."""
    try:
        path = path.expanduser().absolute()
        if path.is_file() and is_media(path):
            raise DataError(f"{path}: a media file; {EXTRACTORS}")
        if path.is_file() or path.is_dir():
            return path
        if path.exists():
            check_regular(path)
        if path.is_symlink():
            raise DataError(f"{path}: a link to {path.readlink()}, which cannot be found")
    except OSError as error:
        raise _unreadable(path, error) from error
    except RuntimeError as error:  # ~NAME of no user
        raise DataError(f"{path}: {error}") from error
    raise DataError(f"{path}: there is no such file or folder")


def _find(path: Path, given: str | None, layout: str, found: _Found, levels: int) -> None:
    """Add the files of ``path`` to ``found``.

    Args:
        path: a file or a folder.
        given: the split of files that name none; None if the user gives no split.
        layout: the layout of all files, or ``auto``.
        found: the files found so far.
        levels: how many levels of subfolders to search.
    """
    try:
        kind = _kind(path, layout)
        if path.is_dir() and (kind is None or kind.in_subfolders(path)):
            _look_into(path, given, layout, found, levels)
            return
        splits = _splits(path, kind, given, found.named)
    except OSError as error:
        raise _unreadable(path, error) from error
    name = kind.name if kind else registry.AUTO
    found.add(name, {each: [path] for each in splits}, () if splits else (path,))


def _kind(path: Path, layout: str) -> Layout | None:
    """Return the layout of a path; None for a file that must be read, or a folder to search."""
    if path.is_dir():
        kind = registry.recognise(path)
        if kind is not None and layout == registry.AUTO and (why := kind.ambiguity(path)):
            raise DataError(why)
        return kind if kind is not None and layout in (registry.AUTO, kind.name) else None
    if layout != registry.AUTO:
        return registry.layout_named(layout)
    if path.suffix.lower() in _ARCHIVES:
        raise DataError(f"{path}: an archive; unpack it, and name the folder with its content")
    return registry.recognise(path) or likely_layout(path)


def _splits(
    path: Path, kind: Layout | None, given: str | None, named: Sequence[Path]
) -> Sequence[str]:
    """Return the splits that a corpus names, else the one of ``given`` or its name, or none."""
    if kind is None:
        return SPLITS  # the reader reports the error
    if splits := kind.splits(path, named):
        return splits
    return [one] if (one := given or kind.split_by_name(path)) else []


def _look_into(path: Path, given: str | None, layout: str, found: _Found, levels: int) -> None:
    """Find the corpus in a folder that is not itself one."""
    named, others = source_folder.files_by_split(path, _suffixes(layout))
    for split, files in named.items():
        kind = _kind(files[0], layout)
        found.add(kind.name if kind else registry.AUTO, {split: files})
    if named:
        return
    subfolders = source_folder.folders(path) if levels else []
    split_of = {each: own for each in subfolders if (own := split_in(each.name))}
    below: dict[Path, _Found | UserError] = {}
    for each in split_of or subfolders:
        here = _Found()
        try:
            _find(each, split_of.get(each) or given, layout, here, levels - 1)
            below[each] = here
        except NothingFound:
            pass
        except UserError as error:
            below[each] = error
    rest = source_folder.without_label_tables(others)
    others = rest if rest or below else others
    if split_of and not others:
        _add_splits(path, split_of, below, found)
    elif len(others) + len(below) > 1:
        raise source_folder.several(path, [*others, *below])
    elif others:
        _find(others[0], given, layout, found, 0)
    elif below:
        found.take(next(iter(below.values())))
    else:
        raise source_folder.nothing(path)


def _suffixes(layout: str) -> Sequence[str]:
    """Return the suffixes of files that may hold a split; of all layouts if this one has none."""
    own = () if layout == registry.AUTO else registry.layout_named(layout).suffixes
    return own or [suffix for each in registry.layouts() for suffix in each.suffixes]


def _add_splits(
    path: Path, split_of: Mapping[Path, str], below: Mapping[Path, Any], found: _Found
) -> None:
    """Add subfolders that are named after their splits."""
    splits = [split_of[each] for each in below]
    if len(set(splits)) < len(splits):
        raise DataError(
            f"{path}: two of {', '.join(each.name for each in below)} name the same split; "
            "name the folders to read one by one"
        )
    if not below:
        raise source_folder.nothing(path)
    for each, holds in below.items():
        found.take(holds, only=split_of[each])


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: cannot be read ({error.strerror or error})")
