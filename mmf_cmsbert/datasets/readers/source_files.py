"""The files that stand behind the files and folders of a configuration."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mmf_cmsbert.datasets.readers import csd, folder, video_lists
from mmf_cmsbert.datasets.readers.names import FEATURE_FOLDERS
from mmf_cmsbert.datasets.stores import manifest


def files_of(paths: Sequence[Path], split: str) -> list[Path]:
    """Every file that the segments of a split are read from, absolute, in a fixed order.

    Of a plain folder these are its list and its feature files, of a folder of computational
    sequences the ``.csd`` files and the lists of their videos, of a store its manifest, which has a
    hash of the segments.
    """
    found = (file.absolute() for path in paths for file in _behind(path, split))
    return list(dict.fromkeys(found))


def _behind(path: Path, split: str) -> Iterator[Path]:
    if folder.recognise(path):
        lists = [path / name for name in folder.NAMES] if path.is_dir() else [path]
        yield from (each for each in lists if each.exists())
        root = path if path.is_dir() else path.parent
        for names in FEATURE_FOLDERS.values():
            for name in names:
                yield from sorted((root / name).glob("*.np[yz]"))
    elif not path.is_dir():
        yield path
    if path.is_dir():
        yield from sorted(path.glob("*.csd"))
        stores = (path / manifest.NAME, path / split / manifest.NAME)
        yield from (each for each in stores if each.exists())
    if csd.recognise(path):
        lists = (path if path.is_dir() else path.parent) / video_lists.NAME
        if lists.exists():
            yield lists
