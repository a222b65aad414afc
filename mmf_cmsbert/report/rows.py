"""The segments of a report as a JSON text inside the page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from mmf_cmsbert.report.collected import HeatMap, ScoredSegment


def embedded(content: Any) -> Markup:
    """A JSON text that can stand in an element ``script``, whatever its strings hold.

    Inside such an element a browser looks for ``</script`` and ``<!--`` alone.
    """
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)


def row(segment: ScoredSegment, scores: Sequence[float]) -> dict[str, Any]:
    """A segment as the page's script reads it; keys are short because there are thousands.

    Args:
        segment: the segment.
        scores: the prediction of each run.
    """
    found: dict[str, Any] = {
        "i": segment.id,
        "w": segment.words,
        "t": segment.label,
        "p": [round(score, 4) for score in scores],
        "m": segment.modalities,
    }
    if segment.answer is not None:
        found |= {"a": segment.answer, "g": segment.truth}
    if any(size is not None for size in segment.shift):
        found["s"] = [size and round(size, 3) for size in segment.shift]
    if segment.heat:
        found["x"] = {
            name: [size and round(size, 3) for size in sizes]
            for name, sizes in segment.shifts.items()
        }
        found["h"] = {name: _heat(each) for name, each in segment.heat.items()}
    return found


def _heat(found: HeatMap) -> dict[str, Any]:
    return found.model_dump(exclude_none=True)


def table(
    segments: Sequence[ScoredSegment], scores: Sequence[Sequence[float]], rows: int
) -> tuple[Markup, int]:
    """The segments' JSON text, and how many of them it has.

    Args:
        segments: of a split.
        scores: of each segment, the prediction of each run.
        rows: the most segments; of more, those with the largest errors and, evenly, others.
    """
    shown = range(len(segments))
    if len(segments) > rows:
        shown = _some(segments, scores, rows)
    content = [
        row(segments[i], scores[i]) | ({} if len(shown) == len(segments) else {"n": i})
        for i in shown
    ]
    runs = len(scores[0]) if scores else 1
    return embedded({"runs": runs, "rows": content}), len(content)


def _some(segments: Sequence[ScoredSegment], scores: Sequence[Sequence[float]], rows: int) -> Any:
    errors = [
        -1.0 if s.label is None else max(abs(score - s.label) for score in found)
        for s, found in zip(segments, scores, strict=True)
    ]
    worst = np.argsort(-np.array(errors), kind="stable")[: rows // 2]
    evenly = np.linspace(0, len(segments) - 1, rows - len(worst)).round().astype(int)
    return sorted({*worst.tolist(), *evenly.tolist()})
