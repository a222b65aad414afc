"""Checks of segments while they are read from files.

Each takes a stream of segments and yields it in order, with an error object for each segment that
fails the check. The caller decides whether to raise it.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mmf_cmsbert.datasets.segment import Segment, unaligned
from mmf_cmsbert.errors import DataError, DuplicateSegment, SegmentError

Stream = Iterable[Segment | SegmentError]
# A small pickle can refer to one array any number of times. float32 takes four times the memory of
# one-byte numbers.
_MOST_GROWN, _SMALL = 16, 1 << 24
# The fewest bytes that a segment counts for, even if it is an error.
_LEAST = 512


def once_each(segments: Stream, where: str) -> Iterator[Segment | SegmentError]:
    """Check that each segment id is new."""
    seen: set[str] = set()
    for segment in segments:
        if isinstance(segment, Segment):
            if segment.id in seen:
                segment = DuplicateSegment(
                    f"{where}: segment id {segment.id} occurs twice in this split; expected "
                    "unique ids",
                    segment.id,
                )
            else:
                seen.add(segment.id)
        yield segment


def aligned_only(segments: Stream, where: str) -> Iterator[Segment | SegmentError]:
    """Check that each segment has one frame per word in each of its modalities."""
    for segment in segments:
        if isinstance(segment, Segment) and (found := unaligned(segment)):
            segment = SegmentError(
                f"{where}: {found}; this layout needs one frame per word. Align the file again, or "
                "remove the segment"
            )
        yield segment


def bounded(segments: Stream, files: Sequence[Path]) -> Iterator[Segment | SegmentError]:
    """Check that the segments are not much larger than their files.

    Args:
        segments: the segments.
        files: the files that they are read from; for a folder its ``.csd`` files.

    Raises:
        DataError: they are.
    """
    stored = sum(each.stat().st_size for file in files for each in _files_in(file))
    left = _MOST_GROWN * stored + _SMALL
    for segment in segments:
        left -= _LEAST
        if isinstance(segment, Segment):
            left -= sum(each.nbytes for each in segment.frames.values())
            left -= sum(map(len, segment.words))
        if left < 0:
            raise DataError(
                f"{', '.join(map(str, files))}: the segments hold more than {_MOST_GROWN} times "
                f"the {stored:,} bytes on disk; refused. The same words or frames are repeated in "
                "many of them"
            )
        yield segment


def _files_in(path: Path) -> Iterable[Path]:
    return path.glob("*.csd") if path.is_dir() else [path]
