"""The videos of each split: the canonical lists of a corpus, or a user's ``splits.json``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.readers.names import known_splits, split_keys, split_named
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json

NAME = "splits.json"
EXAMPLE = '{"train": ["VIDEO", ...], "val": [...], "test": [...]}'
_LARGEST = 1 << 26


def videos_of(own: Path | None, corpus: str, split: str, there: frozenset[str]) -> tuple[str, ...]:
    """Return the videos of a split, in the order of the list.

    Args:
        own: a user's ``splits.json``, or None for the canonical lists, restricted to ``there``.
        corpus: ``mosi`` or ``mosei``.
        split: ``train``, ``val`` or ``test``.
        there: the videos that have labels.

    Raises:
        DataError: ``own`` is invalid.
    """
    if own is not None:
        return tuple(read_video_lists(own).get(split, ()))
    return tuple(video for video in canonical_videos(corpus, split) if video in there)


def unlisted(own: Path | None, corpus: str, there: frozenset[str]) -> list[str]:
    """Return the videos with labels that are in no split."""
    lists = (
        read_video_lists(own).values()
        if own is not None
        else (canonical_videos(corpus, split) for split in SPLITS)
    )
    return sorted(there.difference(*lists))


def is_video_lists(path: Path) -> bool:
    """Return whether a JSON file holds lists of videos by split, or is named ``splits.json``."""
    if path.suffix.lower() != ".json":
        return False
    if path.name == NAME:
        return True
    try:
        content = read_json(path, _LARGEST)
    except (OSError, ValueError, DataError):
        return False
    if not isinstance(content, dict) or not any(map(split_named, content)):
        return False
    return not any(
        isinstance(videos, list) and videos[:1] and isinstance(videos[0], dict)
        for videos in content.values()
    )


def own_lists(paths: Sequence[Path]) -> Path | None:
    """Find a ``splits.json`` among ``paths``, in their folders or beside their files, else None.

    Raises:
        DataError: there is more than one.
    """
    named = [path for path in paths if not path.is_dir() and is_video_lists(path)]
    places = [(path if path.is_dir() else path.parent) / NAME for path in paths]
    found = list(dict.fromkeys(named or [place for place in places if place.exists()]))
    if len(found) > 1:
        raise DataError(f"{found[0]} and {found[1]} both list videos by split; name one of them")
    return found[0] if found else None


def read_video_lists(path: Path) -> Mapping[str, Sequence[str]]:
    """Read video ids by split from a JSON file such as ``{"train": ["a"], "dev": ["b"]}``.

    Raises:
        DataError: the file is missing or invalid, or lists a video twice.
    """
    try:
        content: Any = read_json(path, _LARGEST)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(f"{path} is not JSON ({str(error)[:100]}); expected {EXAMPLE}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected {EXAMPLE}, found {describe(content)}")
    if unknown := [key for key in content if split_named(key) is None]:
        raise DataError(
            f"{path}: {unknown[0]!r:.60} is not a split; expected {known_splits()}, each a list of "
            "ids"
        )
    lists = {split: content[key] for split, key in split_keys(content, str(path)).items()}
    belongs: dict[str, str] = {}
    for split, videos in lists.items():
        if not isinstance(videos, list) or not all(isinstance(video, str) for video in videos):
            raise DataError(
                f"{path}: {split}: expected a list of video ids, found {describe(videos)}"
            )
        for video in videos:
            if video in belongs:
                raise DataError(
                    f"{path}: video {video!r:.60} is in {belongs[video]} and in {split}; expected "
                    "each video once"
                )
            belongs[video] = split
    return lists
