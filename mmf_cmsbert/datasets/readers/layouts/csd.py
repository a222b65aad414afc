"""The layout of CMU-MultimodalSDK: ``.csd`` files of whole videos.

There is one each for the words, the visual and acoustic frames and the labels, with an interval of
time for each row.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mmf_cmsbert.datasets.readers import csd_file, csd_roles, video_lists
from mmf_cmsbert.datasets.readers.canonical import has_canonical_videos
from mmf_cmsbert.datasets.readers.csd_video import segments_of_video
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.source_folder import named_pickles
from mmf_cmsbert.datasets.readers.streams import bounded
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import ConfigError, DataError, SegmentError
from mmf_cmsbert.files import NotRegularFile, open_regular


@register_layout("csd")
class CSD(Layout):
    """Computational sequences: words, labels, and at most one sequence for each modality.

    The videos of a split come from a ``splits.json`` in the folder or among the files, otherwise
    from the canonical split of the corpus.

    Row i of a video's labels is the segment ``video[i]``, the id in MISA's pickles; MMSA's clips
    count from 1. (The published rows are not all in time order.) A word, and with alignment
    ``none`` a frame, belongs to the segment that contains the middle of its interval. Pauses
    (``sp``) are not words. With alignment ``word`` a word's frame is the mean of the frames that
    overlap it, zeros if there are none (our interpretation; CMU-MultimodalSDK intersects intervals
    too). A segment with no frames of a modality counts as missing it.

    Yields an error object for each unusable segment, each video without words, and each video of a
    ``splits.json`` without labels.
    """

    examples = (".csd files",)
    together = True
    rank = 3

    def recognise(self, path: Path) -> bool:
        """Return whether it is a computational sequence, a folder of these, or a list of videos."""
        if path.is_dir():
            return any(path.glob("*.csd"))
        if path.suffix.lower() == ".csd" or video_lists.is_video_lists(path):
            return True
        try:
            with open_regular(path) as file:
                return file.read(len(csd_file.MAGIC)) == csd_file.MAGIC
        except (OSError, NotRegularFile):
            return False  # the message comes from the reader

    def ambiguity(self, path: Path) -> str | None:
        """Return a message if the ``.csd`` files are beside pickles named after splits."""
        beside = named_pickles(path)
        if not beside:
            return None
        return (
            f"{path}: holds .csd files and {beside[0].name}; choose one with --layout csd or "
            "--layout misa (in a configuration, with the dataset's key layout)"
        )

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return the splits in the user's lists of videos, or all splits without such lists."""
        named = (each for each in beside if each.is_file() and video_lists.is_video_lists(each))
        lists = next(named, None) or video_lists.own_lists([path])
        if lists is None:
            return SPLITS
        videos = video_lists.read_video_lists(lists)
        return [split for split in SPLITS if videos.get(split)]

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        """Return the ``.csd`` files and the lists of their videos."""
        found = sorted(path.glob("*.csd")) if path.is_dir() else [path]
        lists = (path if path.is_dir() else path.parent) / video_lists.NAME
        return [*found, lists] if lists.exists() else found

    def unlisted(self, files: Sequence[Path], corpus: str) -> list[str]:
        videos = csd_roles.labelled_videos(files)
        return video_lists.unlisted(video_lists.own_lists(files), corpus, videos)

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        yield from bounded(_segments(files, request), files)


def _segments(files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
    own = video_lists.own_lists(files)
    corpus = request.corpus
    if corpus is None or not has_canonical_videos(corpus):
        if own is None:
            raise ConfigError(
                ".csd files name no splits; type --dataset mosi or --dataset mosei to use the "
                f"corpus's lists of videos, or write {video_lists.EXAMPLE} into {video_lists.NAME} "
                "beside the files"
            )
        corpus = corpus or "mosi"  # for messages only
    with csd_roles.open_roles(files, corpus) as roles:
        labels = roles["labels"]
        videos = video_lists.videos_of(own, corpus, request.split, labels.videos)
        if not videos:
            raise DataError(_no_videos(labels, own, corpus, request.split))
        for video in videos:
            yield from segments_of_video(roles, video, request.alignment)


def _no_videos(labels: csd_file.Sequence, own: Path | None, corpus: str, split: str) -> str:
    there = ", ".join(sorted(labels.videos)[:3]) or "no video"
    if own is not None:
        return f"{own}: no videos for the {split} split; {labels.path} has {there}, ..."
    return (
        f"{labels.path}: has none of the videos of the canonical {split} split of {corpus}; "
        f"found {there}. To split these videos yourself, write {video_lists.EXAMPLE} into "
        f"{labels.path.with_name(video_lists.NAME)}"
    )
