"""The layout of CMU-MultimodalSDK: a ``.csd`` file each for the words, the visual and acoustic
frames and the labels, all of whole videos with an interval of time for each row."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmf_cmsbert.datasets.readers import csd_file, video_lists
from mmf_cmsbert.datasets.readers.fields import frame_array, read_each, sentiment
from mmf_cmsbert.datasets.readers.text import decoded, has_text
from mmf_cmsbert.datasets.readers.word_alignment import align, within
from mmf_cmsbert.datasets.segment import MODALITIES, Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import NotRegularFile, open_regular

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
    """Whether ``path`` is a computational sequence, a folder of such, or lists of their videos."""
    if path.is_dir():
        return any(path.glob("*.csd"))
    if path.suffix.lower() == ".csd" or video_lists.is_video_lists(path):
        return True
    try:
        with open_regular(path) as file:
            return file.read(len(csd_file.MAGIC)) == csd_file.MAGIC
    except (OSError, NotRegularFile):
        return False  # whoever reads it says what is wrong


def read(
    paths: Sequence[Path], split: str, corpus: str, alignment: str = "word"
) -> Iterator[Segment | SegmentError]:
    """The segments of the videos of a split, in the order of its list.

    The lists are those of a ``splits.json`` in the folder or among ``paths``, else the canonical
    ones of the corpus. Yields an error for each segment that cannot be used, for each video without
    words, and for each video of a ``splits.json`` that has no labels.

    Row i of a video's labels is the segment ``video[i]``: the ids that MISA's pickles have, and one
    less than MMSA's clips. (The published rows are not all in time order.) A word, and with
    ``alignment`` none a frame, belongs to the segment that holds the middle of its interval; pauses
    (``sp``) are no words. With ``alignment`` word the frame of a word is the mean of the frames
    whose intervals overlap its own, zeros where there are none (our interpretation;
    CMU-MultimodalSDK intersects intervals too). A segment with no frames of a modality counts as
    missing it.

    Args:
        paths: ``.csd`` files, and folders of them; together the words, the labels, and at most one
            sequence of each modality. Of a folder, files that are none of these are left out.
        split: ``train``, ``val`` or ``test``.
        corpus: ``mosi`` or ``mosei``, whose canonical lists split them.
        alignment: ``word`` or ``none``.

    Raises:
        DataError: a file that is missing or not what it should be.
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
        own = own_lists(paths)
        videos = video_lists.videos_of(own, corpus, split, labels.videos)
        if not videos:
            raise DataError(_no_videos(labels, own, corpus, split))
        for video in read_each(_video, ((roles, name) for name in videos)):
            if isinstance(video, SegmentError):
                yield video
            else:
                count = len(video.labels[0])
                yield from read_each(_segment, ((video, i, alignment) for i in range(count)))


def own_lists(paths: Sequence[Path]) -> Path | None:
    """The ``splits.json`` among ``paths``, in their folders, or beside their files, if any.

    Raises:
        DataError: there are several.
    """
    named = [path for path in paths if not path.is_dir() and video_lists.is_video_lists(path)]
    places = [(path if path.is_dir() else path.parent) / video_lists.NAME for path in paths]
    found = list(dict.fromkeys(named or [place for place in places if place.exists()]))
    if len(found) > 1:
        raise DataError(f"{found[0]} and {found[1]} both list videos of splits; name one of them")
    return found[0] if found else None


def unlisted_videos(paths: Sequence[Path], corpus: str) -> list[str]:
    """The videos that have labels and are of no split, canonical or of a ``splits.json``.

    Raises:
        DataError: a file that is not what it should be.
    """
    for path, _ in _files(paths):
        with csd_file.open_sequence(path) as sequence:
            if _role(sequence) == "labels":
                return video_lists.unlisted(own_lists(paths), corpus, sequence.videos)
    return []


def _no_videos(labels: csd_file.Sequence, own: Path | None, corpus: str, split: str) -> str:
    there = ", ".join(sorted(labels.videos)[:3]) or "no video"
    if own is not None:
        return f"{own}: no videos for the {split} split; {labels.path} has {there}, ..."
    return (
        f"{labels.path}: none of the videos of the canonical {split} split of {corpus} is in it; "
        f"found {there}. To split these videos yourself, write {video_lists.EXAMPLE} into "
        f"{labels.path.with_name(video_lists.NAME)}"
    )


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
        found = {}
        for video in sorted(wanted):
            labels, where = sequence.read(video), f"{path}: video {video}"
            found[video] = [_label(labels, i, where) for i in range(len(labels[0]))]
        return found


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was named itself rather than found in a folder."""
    for path in paths:
        if path.is_dir():
            yield from ((file, False) for file in sorted(path.glob("*.csd")))
        elif not video_lists.is_video_lists(path):
            yield path, True


def _role(sequence: csd_file.Sequence) -> str | None:
    """``labels``, ``words`` or a modality, by the names of the sequence and its file."""
    name = f"{sequence.name} {sequence.path.stem}".lower()
    role = next((r for r, parts in _NAMES.items() if any(part in name for part in parts)), None)
    return None if role == "words" and any(part in name for part in _NO_WORDS) else role


def _assign(roles: dict[str, csd_file.Sequence], sequence: csd_file.Sequence, named: bool) -> None:
    role = _role(sequence)
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


@dataclass(frozen=True)
class _Video:
    """What the sequences hold of one video, each with its intervals ``(rows, 2)``."""

    name: str
    words: tuple[list[str], np.ndarray]
    frames: dict[str, tuple[np.ndarray | None, np.ndarray]]
    labels: tuple[np.ndarray, np.ndarray]
    roles: dict[str, csd_file.Sequence]


def _video(roles: dict[str, csd_file.Sequence], name: str) -> _Video:
    if name not in roles["labels"].videos:
        raise SegmentError(
            f"{roles['labels'].path}: no labels of video {name}, which is in a split"
        )
    frames = {}
    for modality in MODALITIES:
        if modality in roles and name in roles[modality].videos:
            features, seen_at = roles[modality].read_in_time(name)
            where = f"{roles[modality].path}: video {name}"
            frames[modality] = frame_array(features, modality, where), seen_at
    return _Video(name, _words(roles["words"], name), frames, roles["labels"].read(name), roles)


def _label(labels: tuple[np.ndarray, np.ndarray], i: int, where: str) -> tuple:
    features, intervals = labels
    return *intervals[i].tolist(), sentiment(features[i], f"{where}, segment {i}")


def _words(sequence: csd_file.Sequence, video: str) -> tuple[list[str], np.ndarray]:
    """The words of a video without its pauses, and their intervals."""
    if video not in sequence.videos:
        raise SegmentError(f"{sequence.path}: no words of video {video}, which has labels")
    features, intervals = sequence.read_in_time(video)
    if features.dtype.kind != "S" or features.shape[1] != 1:
        raise SegmentError(
            f"{sequence.path}: video {video}: expected one word a row, found shape "
            f"{features.shape} and type {features.dtype}"
        )
    where = f"{sequence.path}: video {video}: a word"
    words = [decoded(word, where).strip() for word in features[:, 0].tolist()]
    spoken = [i for i, word in enumerate(words) if word != _PAUSE and has_text(word)]
    return [words[i] for i in spoken], intervals[spoken]


def _segment(video: _Video, i: int, alignment: str) -> Segment:
    files = {role: sequence.path for role, sequence in video.roles.items()}
    where = f"{files['labels']}: video {video.name}"
    start, end, label = _label(video.labels, i, where)
    words, spoken_at = video.words
    spoken = within(spoken_at, start, end)
    if not len(spoken):
        raise SegmentError(
            f"{files['words']}: no words in segment {video.name}[{i}] ({start:.2f} to {end:.2f} "
            f"s); leave it out of {files['labels']}"
        )
    found: dict[str, np.ndarray | None] = dict.fromkeys(MODALITIES)
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
        found["visual"],
        found["acoustic"],
        label,
        start,
        end,
    )
