"""The files that stand behind the files and folders of a configuration."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from mmf_cmsbert.datasets.readers import folder
from mmf_cmsbert.datasets.segment import MODALITIES
from mmf_cmsbert.datasets.stores import manifest


def files_of(paths: Sequence[Path], split: str) -> list[Path]:
    """Every file that the segments of a split are read from, absolute, in a fixed order.

    Of a plain folder these are its list and its feature files, of a folder of computational
    sequences the ``.csd`` files, of a store its manifest, which has a hash of the segments.
    """
    return [file.absolute() for path in paths for file in _behind(path, split)]


def _behind(path: Path, split: str) -> Iterator[Path]:
    lists = [path / name for name in folder.NAMES] if path.is_dir() else [path]
    if path.is_dir() or path.suffix in folder.SUFFIXES:
        yield from (each for each in lists if each.is_file())
        root = path if path.is_dir() else path.parent
        for modality in MODALITIES:
            yield from sorted((root / modality).glob("*.np[yz]"))
    else:
        yield path
    if path.is_dir():
        yield from sorted(path.glob("*.csd"))
        stores = (path / manifest.NAME, path / split / manifest.NAME)
        yield from (each for each in stores if each.is_file())
