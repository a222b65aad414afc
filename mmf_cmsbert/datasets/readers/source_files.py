"""List the files that the segments of a split are read from."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mmf_cmsbert.datasets.readers import registry


def files_of(paths: Sequence[Path], split: str, layout: str = registry.AUTO) -> list[Path]:
    """Return all files that the segments of a split are read from, absolute, in a fixed order.

    Args:
        paths: files and folders of a corpus. A folder without a known layout has no such files.
        split: ``train``, ``val`` or ``test``.
        layout: the name of their layout, or ``auto``.
    """
    found = (file.absolute() for path in paths for file in _files_of(path, split, layout))
    return list(dict.fromkeys(found))


def _files_of(path: Path, split: str, layout: str) -> Iterable[Path]:
    known = registry.recognise(path) if layout == registry.AUTO else registry.layout_named(layout)
    if known is not None:
        return known.sources(path, split)
    return [] if path.is_dir() else [path]
