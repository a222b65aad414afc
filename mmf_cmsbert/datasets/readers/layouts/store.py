"""Stores, written by conversion: a store, or a folder with one store for each split."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.names import split_in
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.source_folder import folders
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import DataError


@register_layout("store")
class Store(Layout):
    """A store, or a folder of stores, whatever other files it has."""

    examples = ("a store",)
    rank = 5

    def recognise(self, path: Path) -> bool:
        return _is_store(path) or any(_is_store(path / split) for split in SPLITS)

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return the splits of a folder of stores; empty for a single store."""
        return () if _is_store(path) else [s for s in SPLITS if _is_store(path / s)]

    def split_by_name(self, path: Path) -> str | None:
        return split_in(path.stem if path.is_file() else path.name)

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        """Return the manifest, which has a hash of the segments."""
        manifests = (path / manifest.NAME, path / split / manifest.NAME)
        return [each for each in manifests if each.exists()]

    def in_subfolders(self, path: Path) -> bool:
        """Return whether a folder of stores has one named by a synonym, such as ``dev``."""
        others = (each for each in folders(path) if each.name not in SPLITS)
        return any(_is_store(each) and split_in(each.name) for each in others)

    def extractors(self, path: Path, request: Request) -> Mapping[str, Any]:
        """Return the card in the manifest."""
        (file,) = self.sources(path, request.split)
        return manifest.read_manifest(file.parent).extractors

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment]:
        for path in files:
            if not _is_store(path) and not _is_store(path / request.split):
                raise DataError(
                    f"{path}: no store of the {request.split} split; expected a folder "
                    f"{request.split} with {manifest.NAME} in it"
                )
            stored = StoredSegments(path if _is_store(path) else path / request.split)
            request.on_count(len(stored))
            yield from stored


def _is_store(path: Path) -> bool:
    return (path / manifest.NAME).exists()
