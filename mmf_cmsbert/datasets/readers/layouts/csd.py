"""The layout of CMU-MultimodalSDK: a ``.csd`` file each for the words, the visual and acoustic
frames and the labels, all of whole videos with an interval of time for each row."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mmf_cmsbert.datasets.readers import csd_file, csd_roles, video_lists
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
    """Computational sequences: together the words, the labels, and at most one of each modality.

    The videos of a split are those of a ``splits.json`` in the folder or among the files, else the
    canonical ones of the corpus.

    Row i of a video's labels is the segment ``video[i]``: the ids that MISA's pickles have, and one
    less than MMSA's clips. (The published rows are not all in time order.) A word, and with the
    alignment ``none`` a frame, belongs to the segment that holds the middle of its interval; pauses
    (``sp``) are no words. With the alignment ``word`` the frame of a word is the mean of the frames
    whose intervals overlap its own, zeros where there are none (our interpretation;
    CMU-MultimodalSDK intersects intervals too). A segment with no frames of a modality counts as
    missing it.

    An error is yielded for each segment that cannot be used, for each video without words, and for
    each video of a ``splits.json`` that has no labels.
    """

    examples = (".csd files",)
    together = True
    rank = 3

    def recognise(self, path: Path) -> bool:
        """Whether it is a computational sequence, a folder of such, or lists of their videos."""
        if path.is_dir():
            return any(path.glob("*.csd"))
        if path.suffix.lower() == ".csd" or video_lists.is_video_lists(path):
            return True
        try:
            with open_regular(path) as file:
                return file.read(len(csd_file.MAGIC)) == csd_file.MAGIC
        except (OSError, NotRegularFile):
            return False  # whatever reads it gives the message

    def ambiguity(self, path: Path) -> str | None:
        """Whether pickles named after splits lie beside the ``.csd`` files."""
        beside = named_pickles(path)
        if not beside:
            return None
        return (
            f"{path}: holds .csd files and {beside[0].name}; type --layout csd or misa "
            "(in a configuration, the dataset's key layout), whichever is wanted"
        )

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Those of the user's own lists of videos, which are for all sequences; else all."""
        named = (each for each in beside if each.is_file() and video_lists.is_video_lists(each))
        lists = next(named, None) or video_lists.own_lists([path])
        if lists is None:
            return SPLITS
        videos = video_lists.read_video_lists(lists)
        return [split for split in SPLITS if videos.get(split)]

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        """The ``.csd`` files and the lists of their videos."""
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
    if corpus is None:
        if own is None:
            raise ConfigError(
                ".csd files name no splits, the lists of a corpus's videos do; type --dataset mosi "
                f"or --dataset mosei, or write {video_lists.EXAMPLE} into {video_lists.NAME} "
                "beside the files"
            )
        corpus = "mosi"  # for messages only
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
        f"{labels.path}: none of the videos of the canonical {split} split of {corpus} is in it; "
        f"found {there}. To split these videos yourself, write {video_lists.EXAMPLE} into "
        f"{labels.path.with_name(video_lists.NAME)}"
    )
