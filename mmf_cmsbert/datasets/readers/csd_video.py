"""Cut the computational sequences of one video into its segments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mmf_cmsbert.datasets.readers import csd_file
from mmf_cmsbert.datasets.readers.fields import emotions, frame_array, read_each, sentiment
from mmf_cmsbert.datasets.readers.text import decoded, has_text
from mmf_cmsbert.datasets.readers.word_alignment import align, within
from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment
from mmf_cmsbert.errors import SegmentError

_PAUSE = "sp"


@dataclass(frozen=True)
class _Video:
    """The rows of one video in each sequence, with their intervals ``(rows, 2)`` in seconds."""

    name: str
    words: tuple[list[str], np.ndarray]
    frames: dict[str, tuple[np.ndarray | None, np.ndarray]]
    labels: tuple[np.ndarray, np.ndarray]
    roles: Mapping[str, csd_file.Sequence]


def segments_of_video(
    roles: Mapping[str, csd_file.Sequence], name: str, alignment: str
) -> Iterator[Segment | SegmentError]:
    """Yield a segment for each row of the video's labels, or an error.

    Args:
        roles: ``labels``, ``words`` and modalities -> their sequences.
        name: the video.
        alignment: ``word`` or ``none``.
    """
    for video in read_each(_video, [(roles, name)]):
        if isinstance(video, SegmentError):
            yield video
        else:
            count = len(video.labels[0])
            yield from read_each(_segment, ((video, i, alignment) for i in range(count)))


def _video(roles: Mapping[str, csd_file.Sequence], name: str) -> _Video:
    if name not in roles["labels"].videos:
        raise SegmentError(
            f"{roles['labels'].path}: no labels for video {name}, which is in a split"
        )
    frames = {}
    for modality in FACE_VOICE:
        if modality in roles and name in roles[modality].videos:
            features, seen_at = roles[modality].read_in_time(name)
            where = f"{roles[modality].path}: video {name}"
            frames[modality] = frame_array(features, modality, where), seen_at
    return _Video(name, _words(roles["words"], name), frames, roles["labels"].read(name), roles)


def _words(sequence: csd_file.Sequence, video: str) -> tuple[list[str], np.ndarray]:
    """Return the words of a video without its pauses, and their intervals."""
    if video not in sequence.videos:
        raise SegmentError(f"{sequence.path}: no words for video {video}, which has labels")
    features, intervals = sequence.read_in_time(video)
    if features.dtype.kind != "S" or features.shape[1] != 1:
        raise SegmentError(
            f"{sequence.path}: video {video}: expected one word per row, found shape "
            f"{features.shape} and type {features.dtype}"
        )
    where = f"{sequence.path}: video {video}: a word"
    words = [decoded(word, where).strip() for word in features[:, 0].tolist()]
    spoken = [i for i, word in enumerate(words) if word != _PAUSE and has_text(word)]
    return [words[i] for i in spoken], intervals[spoken]


def _segment(video: _Video, i: int, alignment: str) -> Segment:
    files = {role: sequence.path for role, sequence in video.roles.items()}
    where = f"{files['labels']}: video {video.name}"
    vectors, intervals = video.labels
    start, end = intervals[i].tolist()
    label = sentiment(vectors[i], f"{where}, segment {i}")
    words, spoken_at = video.words
    spoken = within(spoken_at, start, end)
    if not len(spoken):
        raise SegmentError(
            f"{files['words']}: no words in segment {video.name}[{i}] ({start:.2f} to {end:.2f} "
            f"s); remove it from {files['labels']}"
        )
    found = {}
    for modality, (features, seen_at) in video.frames.items():
        own = within(seen_at, start, end)
        if features is None or not len(own):
            continue
        found[modality] = (
            features[own] if alignment == "none" else align(features, seen_at, spoken_at[spoken])
        )
    return Segment(
        f"{video.name}[{i}]",
        video.name,
        tuple(words[j] for j in spoken),
        found,
        label,
        start,
        end,
        targets=emotions(vectors[i]),
    )
