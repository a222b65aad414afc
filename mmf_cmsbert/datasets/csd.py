"""The layout of CMU-MultimodalSDK: a ``.csd`` file each for the words, the visual and acoustic
frames and the labels, all of whole videos with an interval of time for each row."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from mmf_cmsbert.datasets import csd_file
from mmf_cmsbert.datasets.canonical import canonical_videos
from mmf_cmsbert.datasets.fields import decoded, frame_array, sentiment
from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import DataError

ALIGNMENTS = ("word", "none")
_PAUSE = "sp"
# Role -> what the name of such a sequence, or of its file, contains.
_NAMES = {
    "labels": ("label",),
    "visual": ("facet", "openface", "visual"),
    "acoustic": ("covarep", "opensmile", "acoustic"),
    "words": ("word",),
}
# Vectors of words are no words.
_NO_WORDS = ("vector", "glove", "embedding")


def recognise(path: Path) -> bool:
    """Whether ``path`` is a computational sequence or a folder of such."""
    if path.is_dir():
        return any(path.glob("*.csd"))
    with open(path, "rb") as file:
        return path.suffix == ".csd" or file.read(len(csd_file.MAGIC)) == csd_file.MAGIC


def read(
    paths: Sequence[Path], split: str, corpus: str, alignment: str = "word"
) -> Iterator[Segment]:
    """The segments of the videos of a canonical split, in the order of its list.

    Row i of a video's labels is the segment ``video[i]``: the ids that MISA's pickles have, and one
    less than MMSA's clips. (The published rows are not all in time order.) A word, and with
    ``alignment`` none a frame, belongs to the segment that holds the middle of its interval; pauses
    (``sp``) are no words. With ``alignment`` word the frame of a word is the mean of the frames
    whose intervals overlap its own, zeros where there are none (our reading; CMU-MultimodalSDK
    intersects intervals too). A segment without any frame of a modality has not got it.

    Args:
        paths: ``.csd`` files, and folders of them; together the words, the labels, and at most one
            sequence of each modality. Of a folder, files that are none of these are left out.
        split: ``train``, ``val`` or ``test``.
        corpus: ``mosi`` or ``mosei``, whose canonical videos they are.
        alignment: ``word`` or ``none``.

    Raises:
        DataError: a file that is missing or not what it should be, or a segment without words.
    """
    with ExitStack() as stack:
        roles: dict[str, csd_file.Sequence] = {}
        for path, named in _files(paths):
            sequence = stack.enter_context(csd_file.open_sequence(path))
            _assign(roles, sequence, named)
        for role in ("labels", "words"):
            if role not in roles:
                files = ", ".join(str(s.path) for s in roles.values()) or "no other file"
                raise DataError(
                    f"{', '.join(map(str, paths))}: no computational sequence of {role}, only "
                    f"{files}. Name the {role} file too, for example "
                    f"CMU_{corpus.upper()}_{'Labels' if role == 'labels' else 'TimestampedWords'}"
                    ".csd"
                )
        labels = roles["labels"]
        videos = [v for v in canonical_videos(corpus, split) if v in labels.videos]
        if not videos:
            raise DataError(
                f"{labels.path}: none of the videos of the canonical {split} split of {corpus} is "
                f"in it; found {', '.join(sorted(labels.videos)[:3]) or 'no video'}"
            )
        for video in videos:
            yield from _segments(roles, video, alignment)


def read_labels(path: Path, videos: Collection[str] | None = None) -> dict[str, list[tuple]]:
    """Video -> ``(start, end, sentiment)`` of its segments, in the file's order.

    Args:
        path: the ``.csd`` file of labels.
        videos: which videos, None for all.

    Raises:
        DataError: not such a file.
    """
    with csd_file.open_sequence(path) as sequence:
        wanted = sequence.videos if videos is None else videos
        return {video: list(_labels(sequence, video)) for video in sorted(wanted)}


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was named itself rather than found in a folder."""
    for path in paths:
        if path.is_dir():
            yield from ((file, False) for file in sorted(path.glob("*.csd")))
        else:
            yield path, True


def _assign(roles: dict[str, csd_file.Sequence], sequence: csd_file.Sequence, named: bool) -> None:
    name = f"{sequence.name} {sequence.path.stem}".lower()
    role = next((r for r, parts in _NAMES.items() if any(part in name for part in parts)), None)
    if role == "words" and any(part in name for part in _NO_WORDS):
        role = None
    if role is None:
        if named:
            raise DataError(
                f"{sequence.path}: the computational sequence {sequence.name!r} is not known; "
                "expected words, labels, FACET or OpenFace, COVAREP or OpenSMILE"
            )
    elif role in roles:
        raise DataError(
            f"{roles[role].path} and {sequence.path} both hold {role}; name the files that are "
            "wanted one by one"
        )
    else:
        roles[role] = sequence


def _labels(sequence: csd_file.Sequence, video: str) -> Iterator[tuple]:
    features, intervals = sequence.read(video)
    for i, ((start, end), row) in enumerate(zip(intervals.tolist(), features, strict=True)):
        yield start, end, sentiment(row, f"{sequence.path}: video {video}, segment {i}")


def _words(sequence: csd_file.Sequence, video: str) -> tuple[list[str], np.ndarray]:
    """The words of a video without its pauses, and their intervals."""
    if video not in sequence.videos:
        raise DataError(f"{sequence.path}: no words of video {video}, which has labels")
    features, intervals = sequence.read_in_time(video)
    if features.dtype.kind != "S" or features.shape[1] != 1:
        raise DataError(
            f"{sequence.path}: video {video}: expected one word a row, found shape "
            f"{features.shape} and type {features.dtype}"
        )
    where = f"{sequence.path}: video {video}: a word"
    words = [decoded(word, where).strip() for word in features[:, 0].tolist()]
    spoken = [i for i, word in enumerate(words) if word and word != _PAUSE]
    return [words[i] for i in spoken], intervals[spoken]


def _segments(
    roles: dict[str, csd_file.Sequence], video: str, alignment: str
) -> Iterator[Segment]:
    words, spoken_at = _words(roles["words"], video)
    frames = {
        m: roles[m].read_in_time(video)
        for m in MODALITIES
        if m in roles and video in roles[m].videos
    }
    for modality, (features, seen_at) in frames.items():
        where = f"{roles[modality].path}: video {video}"
        frames[modality] = (frame_array(features, modality, where), seen_at)
    for i, (start, end, label) in enumerate(_labels(roles["labels"], video)):
        spoken = _within(spoken_at, start, end)
        if not len(spoken):
            raise DataError(
                f"{roles['words'].path}: no words in segment {video}[{i}] ({start:.2f} to "
                f"{end:.2f} s); leave it out of {roles['labels'].path}"
            )
        found: dict[str, np.ndarray | None] = dict.fromkeys(MODALITIES)
        for modality, (features, seen_at) in frames.items():
            own = _within(seen_at, start, end)
            if alignment == "none":
                found[modality] = features[own] if len(own) else None
            elif len(own):
                found[modality] = align(features, seen_at, spoken_at[spoken])
        yield Segment(
            f"{video}[{i}]",
            video,
            tuple(words[j] for j in spoken),
            found["visual"],
            found["acoustic"],
            label,
            start,
            end,
        )


def _within(intervals: np.ndarray, start: float, end: float) -> np.ndarray:
    middle = intervals.mean(1)
    return np.flatnonzero((start <= middle) & (middle < end))


def align(features: np.ndarray, seen_at: np.ndarray, spoken_at: np.ndarray) -> np.ndarray:
    """For each word the mean of the frames whose intervals overlap its own, else zeros.

    Args:
        features: ``(frames, width)``, sorted by the start of their intervals.
        seen_at: their intervals ``(frames, 2)`` in seconds.
        spoken_at: the words' intervals ``(words, 2)`` in seconds.

    Returns:
        float32 ``(words, width)``.
    """
    aligned = np.zeros((len(spoken_at), features.shape[1]), np.float32)
    # No frame before the first whose running latest end lies past a word's start can reach it.
    latest = np.maximum.accumulate(seen_at[:, 1])
    first = np.searchsorted(latest, spoken_at[:, 0], side="right")
    behind = np.searchsorted(seen_at[:, 0], spoken_at[:, 1], side="left")
    for row, low, high, (start, _) in zip(aligned, first, behind, spoken_at, strict=True):
        overlapping = features[low:high][seen_at[low:high, 1] > start]
        if len(overlapping):
            row[:] = overlapping.mean(0, dtype=np.float64)
    return aligned
