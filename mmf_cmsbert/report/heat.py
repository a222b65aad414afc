"""Heat maps of words and frames as short texts, and which segments get one."""

from collections.abc import Sequence

import numpy as np

from mmf_cmsbert.report.collected import HeatMap, ScoredSegment

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
COLUMNS = 48
BYTES = 1_500_000  # of all heat maps of a report


def heat_map(
    attention: Sequence[np.ndarray | None], times: np.ndarray | None = None
) -> HeatMap | None:
    """The heat map of a segment; None where it has no frames.

    Args:
        attention: of each word, the share of each frame ``(frames,)``; None for a word that was
            cut off.
        times: the middle of each frame in seconds, ``(frames,)``, evenly spread.
    """
    frames = max((len(row) for row in attention if row is not None), default=0)
    if not frames:
        return None
    edges = np.linspace(0, frames, min(frames, COLUMNS) + 1).astype(int)[:-1]
    rows = [None if row is None else np.add.reduceat(row, edges) for row in attention]
    largest = max(float(row.max()) for row in rows if row is not None)
    scale = (len(DIGITS) - 1) / largest if largest > 0 else 0.0
    half = 0.0 if times is None else float(times[-1] - times[0]) / max(1, frames - 1) / 2
    return HeatMap(
        frames=frames,
        largest=round(largest, 4),
        rows=["" if row is None else _text(row * scale) for row in rows],
        start=None if times is None else round(float(times[0]) - half, 3),
        end=None if times is None else round(float(times[-1]) + half, 3),
    )


def _text(levels: np.ndarray) -> str:
    return "".join(DIGITS[level] for level in np.rint(levels).astype(int))


def with_some_heat(segments: Sequence[ScoredSegment], budget: int) -> list[ScoredSegment]:
    """The segments, of which some keep their heat maps and the parts of their shifts.

    Args:
        segments: with heat maps.
        budget: the most bytes that heat maps may have together.
    """
    errors = [np.nan if s.label is None else abs(s.score - s.label) for s in segments]
    sizes = [sum(len(row) + 3 for each in s.heat.values() for row in each.rows) for s in segments]
    kept = chosen(errors, sizes, budget)
    return [
        s if i in kept else s.model_copy(update={"heat": {}, "shifts": {}})
        for i, s in enumerate(segments)
    ]


def chosen(errors: Sequence[float], sizes: Sequence[int], budget: int) -> set[int]:
    """The segments whose heat maps are kept: those of the largest error and, evenly, others.

    Args:
        errors: absolute error of each segment; NaN where it is unknown.
        sizes: bytes of each segment's heat maps.
        budget: the most bytes that they may have together.
    """
    known = np.nan_to_num(np.asarray(errors, dtype=np.float64), nan=-1.0)
    worst = np.argsort(-known, kind="stable")
    # Ordered by repeated halving, so that any number of kept segments is spread over the split.
    spread = sorted(range(len(sizes)), key=lambda i: (_reversed_bits(i), i))
    found: set[int] = set()
    for pair in zip(worst.tolist(), spread, strict=True):
        for position in pair:
            if position in found or not sizes[position]:
                continue
            if sizes[position] > budget:
                return found
            budget -= sizes[position]
            found.add(position)
    return found


def _reversed_bits(number: int) -> int:
    return int(f"{number:032b}"[::-1], 2)
