"""Split a small corpus into folds, so that no video is in two splits of a fold."""

from collections import Counter
from collections.abc import Sequence

from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import ConfigError

FEWEST = 3


def leave_videos_out(videos: Sequence[str], folds: int) -> list[dict[str, list[int]]]:
    """Return the splits of each fold; every video is in the test split of exactly one fold.

    Videos are added, the longest first, to the part with the fewest segments so far. Fold i tests
    on part i, validates on the next part and trains on the others. This is deterministic.

    Args:
        videos: the video of each segment.
        folds: number of folds, at least 3.

    Returns:
        For each fold ``train``, ``val`` and ``test``: the segments' numbers, in order.

    Raises:
        ConfigError: fewer than 3 folds, or fewer videos than folds.
    """
    counts = Counter(videos)
    if not FEWEST <= folds <= len(counts):
        raise ConfigError(
            f"{folds} folds of {len(counts)} videos: expected from {FEWEST} folds (one to test on, "
            f"one to validate on, the rest to train on) to {len(counts)}"
        )
    part_of: dict[str, int] = {}
    sizes = [0] * folds
    for video in sorted(counts, key=lambda video: (-counts[video], video)):
        part_of[video] = sizes.index(min(sizes))
        sizes[part_of[video]] += counts[video]
    parts = [part_of[video] for video in videos]

    def name(part: int, fold: int) -> str:
        return {fold: "test", (fold + 1) % folds: "val"}.get(part, "train")

    return [
        {
            split: [i for i, part in enumerate(parts) if name(part, fold) == split]
            for split in SPLITS
        }
        for fold in range(folds)
    ]
