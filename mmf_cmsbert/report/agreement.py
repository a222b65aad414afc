"""Predicted against true sentiment: scatter, calibration, confusion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmf_cmsbert.config.schemas.targets import ClassesTarget, MultilabelTarget, RegressionTarget
from mmf_cmsbert.report import answers
from mmf_cmsbert.report.chart import Axis, Cells, Chart, Line, Points, axis
from mmf_cmsbert.report.collected import Part, ScoredSegment

_SHOWN = 1200
_SCALE = [(float(i), f"{i:+d}".replace("-", "\N{MINUS SIGN}") if i else "0") for i in range(-3, 4)]
_BINS, _LEAST = 10, 5


def known(part: Part) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted sentiment of the segments with a label, float64 ``(segments,)``."""
    pairs = [(s.label, s.score) for s in part.segments if s.label is not None]
    both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def classes(values: np.ndarray) -> np.ndarray:
    """The nearest of the seven classes, from -3 to 3, half to even as in Acc-7."""
    return np.rint(np.clip(values, -3, 3)).astype(int)


def excerpt(segment: ScoredSegment, letters: int = 60) -> str:
    """The beginning of a segment's text."""
    text = " ".join(segment.words)
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def agreement(part: Part) -> list[Chart]:
    """The charts of a dataset; none without labels."""
    if isinstance(part.target, ClassesTarget):
        return answers.of_classes(part)
    if isinstance(part.target, MultilabelTarget):
        return answers.of_labels(part)
    true, predicted = known(part)
    if not len(true):
        return []
    ticks = _ticks(part.target)
    if not part.is_sentiment:
        return [_scatter(part, ticks), _calibration(true, predicted, part.name, ticks)]
    return [
        _scatter(part, ticks),
        _calibration(true, predicted, part.name, ticks),
        _confusion(classes(true), classes(predicted), range(-3, 4), "confusion_7", "7 classes"),
        _confusion((true >= 0) * 1, (predicted >= 0) * 1, range(2), "confusion_2", "2 classes"),
    ]


def _ticks(target: RegressionTarget) -> list[tuple[float, str]]:
    """Ticks of the scale of a number: whole ones of sentiment, else about five."""
    if (target.low, target.high) == (-3, 3):
        return _SCALE
    values = np.linspace(target.low, target.high, 5).tolist()
    return [(value, f"{value:g}".replace("-", "\N{MINUS SIGN}")) for value in values]


def _scatter(part: Part, ticks: list[tuple[float, str]]) -> Chart:
    low, high = ticks[0][0], ticks[-1][0]
    room = (high - low) / 30
    positions = [i for i, s in enumerate(part.segments) if s.label is not None]
    total = len(positions)
    if total > _SHOWN:
        positions = [positions[int(i)] for i in np.linspace(0, total - 1, _SHOWN).round()]
    shown = [part.segments[i] for i in positions]
    labels, scores = ([getattr(s, name) for s in shown] for name in ("label", "score"))
    y = axis("predicted", [low, high, *scores], room=0.03)
    some = f" {_SHOWN} of {total} segments, evenly chosen." if total > _SHOWN else ""
    return Chart(
        name="predicted_against_true",
        title=f"Predicted against true {part.name}",
        reading="A dot is a segment; on the dashed line both agree. A flat cloud shows a model "
        f"that stays near the mean. Select a dot to open its segment.{some}",
        x=Axis("true", low - room, high + room, ticks),
        y=Axis("predicted", y.low, y.high, [t for t in ticks if y.low <= t[0] <= y.high]),
        marks=[
            Line([low, high], [low, high], "muted", dashed=True),
            Points(
                labels,
                scores,
                ["main"],
                [
                    f"{s.id}: true {s.label:+.2f}, predicted {s.score:+.2f}. {excerpt(s)}"
                    for s in shown
                ],
                positions,
                opacity=0.55 if len(shown) < 500 else 0.35,
            ),
        ],
        height=340,
    )


def _calibration(
    true: np.ndarray, predicted: np.ndarray, name: str, scale: list[tuple[float, str]]
) -> Chart:
    """Mean of the true number in bins of equal size by the predicted number."""
    order = np.argsort(predicted, kind="stable")
    groups = np.array_split(order, max(1, min(_BINS, len(order) // _LEAST)))
    x = [float(predicted[g].mean()) for g in groups]
    y = [float(true[g].mean()) for g in groups]
    deviations = [float(true[g].std()) for g in groups]
    titles = [
        f"{len(g)} segments, predicted {a:+.2f} on average: true mean {b:+.2f}, "
        f"standard deviation {d:.2f}"
        for g, a, b, d in zip(groups, x, y, deviations, strict=True)
    ]
    least = [-1, 1] if scale is _SCALE else []
    both = axis("", [*x, *y, *least], room=0.08)
    ticks = [tick for tick in scale if both.low <= tick[0] <= both.high]
    return Chart(
        name="calibration",
        title=f"Calibration of the predicted {name}",
        reading=f"Segments are sorted by prediction into {len(groups)} groups of equal size. A dot "
        f"is the mean of the true {name} in a group. Below the dashed line the model predicts "
        "too much, above it too little; a slope of more than 1 means that it is too cautious.",
        x=Axis("predicted, mean of a group", both.low, both.high, ticks),
        y=Axis("true, mean of the group", both.low, both.high, ticks),
        marks=[
            Line([both.low, both.high], [both.low, both.high], "muted", dashed=True),
            Line(x, y, "main", dots=True, titles=titles),
        ],
        height=340,
    )


def _confusion(
    true: np.ndarray, predicted: np.ndarray, values: range, name: str, what: str
) -> Chart:
    names = [t for _, t in _SCALE] if len(values) == 7 else ["negative", "non-negative"]
    counts = [[int(((true == t) & (predicted == p)).sum()) for p in values] for t in values]
    sums = [max(1, sum(row)) for row in counts]
    shares = [[c / s for c in row] for row, s in zip(counts, sums, strict=True)]
    right = sum(counts[i][i] for i in range(len(values))) / max(1, len(true))
    titles = [
        [
            f"true {names[i]}, predicted {names[j]}: {count} of {sum(row)} ({shares[i][j]:.0%})"
            for j, count in enumerate(row)
        ]
        for i, row in enumerate(counts)
    ]
    middles: Sequence[float] = [i + 0.5 for i in range(len(values))]
    return Chart(
        name=name,
        title=f"Confusion, {what}",
        reading=f"Rows: true class, columns: predicted class. Numbers are segments, colours their "
        f"share of the row. {right:.1%} are on the diagonal.",
        x=Axis("predicted class", 0, len(values), list(zip(middles, names, strict=True))),
        y=Axis("true class", 0, len(values), list(zip(middles, reversed(names), strict=True))),
        marks=[Cells(shares, [[str(c) for c in row] for row in counts], titles)],
        height=340 if len(values) == 7 else 240,
    )
