"""Join stores into one store of shards, whose segments are theirs in the order of the stores."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from mmf_cmsbert.datasets.segment import in_order
from mmf_cmsbert.datasets.stores.manifest import SHARDED, Manifest, SourceFile, read_manifest
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.datasets.stores.summary import StoreSummary
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media.card import check_same


def join_stores(
    folder: Path,
    names: Sequence[str],
    settings: Mapping[str, Any],
    on_segment: Callable[[], Any] = lambda: None,
) -> StoredSegments:
    """Write the manifest of a store of shards, after reading every segment once.

    Args:
        folder: the store.
        names: the folders of its shards in order, relative to ``folder``.
        settings: the settings of the conversion of all files together.
        on_segment: called for each segment.

    Raises:
        DataError: a shard is damaged; shards have other widths or extractors; or an id occurs
            twice.
    """
    parts = [StoredSegments(folder / name) for name in names]
    found = [part.manifest for part in parts]
    _check_widths(folder, names, found)
    card: dict[str, Any] = {}
    for name, each in zip(names, found, strict=True):
        check_same(card, each.extractors, "the shards before it", str(folder / name))
        card = card or dict(each.extractors)
    summary = StoreSummary()
    hashes = np.zeros(sum(map(len, parts)), np.uint64)
    position = 0
    for part in parts:
        for index in range(len(part)):
            segment, checksum = part.checked(index)
            summary.add(segment, checksum)
            hashes[position] = _hash(segment.id)
            position += 1
            on_segment()
    _check_once(parts, hashes)
    if not position:
        raise DataError(f"{folder}: no segments in this split; expected at least one")
    Manifest(
        sources=_once(each for one in found for each in one.sources),
        settings=settings,
        **summary.found(),
        size=sum(each.size for each in found),
        skipped=[why for each in found for why in each.skipped],
        extractors=card,
        synthetic=any(each.synthetic for each in found),
        shards=[
            (name, each.segments, each.content) for name, each in zip(names, found, strict=True)
        ],
        format=SHARDED,
    ).write(folder)
    return StoredSegments(folder)


def _check_widths(folder: Path, names: Sequence[str], found: Sequence[Manifest]) -> None:
    for modality in in_order(m for each in found for m in each.widths):
        first: tuple[str, int] | None = None
        for name, each in zip(names, found, strict=True):
            width = each.widths.get(modality)
            first = first or (None if width is None else (name, width))
            if first is not None and width not in (None, first[1]):
                raise DataError(
                    f"{folder}: {modality} frames are {first[1]} wide in {first[0]} and {width} in "
                    f"{name}; expected one width"
                )


def _once(sources: Any) -> tuple[SourceFile, ...]:
    return tuple(dict.fromkeys(sources))


def _hash(name: str) -> int:
    """Return 64 bits of an id: 8 bytes each, where a set of ids would take a hundred."""
    text = name.encode()
    return crc32(text) << 32 | crc32(text[::-1], 1)


def _check_once(parts: Sequence[StoredSegments], hashes: np.ndarray) -> None:
    values, counts = np.unique(hashes, return_counts=True)
    twice = set(values[counts > 1].tolist())
    where: dict[str, str] = {}
    for part in parts if twice else ():
        for index in range(len(part)):
            name = part[index].id
            if _hash(name) not in twice:
                continue
            files = ", ".join(each.path for each in read_manifest(part.folder).sources[:1])
            if name in where:
                raise DataError(
                    f"segment id {name} occurs in {where[name]} and in {files}; expected unique "
                    "ids in a split"
                )
            where[name] = files
