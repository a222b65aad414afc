"""Descriptions of charts, which ``svg`` and ``png`` draw.

A colour is the name of a variable in ``page.css``, so that charts follow the page's light and dark
schemes; :data:`PALETTE` has the values of the light one, for PNGs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

# Okabe and Ito's colours, which colour-blind readers can tell apart, darkened for contrast.
PALETTE = {
    "text": "#1f6fb4",
    "visual": "#c8550f",
    "acoustic": "#0b7d5f",
    "fourth": "#a3498b",
    "fifth": "#8a6d00",
    "main": "#1f6fb4",
    "second": "#c8550f",
    "muted": "#7c8795",
    "negative3": "#a63a00",
    "negative2": "#d9743a",
    "negative1": "#e8b08f",
    "neutral": "#8d96a3",
    "positive1": "#94bde0",
    "positive2": "#4a90c8",
    "positive3": "#0f5a9c",
}
SERIES = ("main", "second", "acoustic", "fourth", "fifth")
SENTIMENTS = (
    "negative3",
    "negative2",
    "negative1",
    "neutral",
    "positive1",
    "positive2",
    "positive3",
)


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        label: what it measures, with its unit.
        low: its beginning.
        high: its end.
        ticks: values and their texts, of one line or two.
    """

    label: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Points:
    """Dots.

    Attributes:
        x, y: their places.
        colours: one for all, or one for each.
        titles: texts to show when pointed at.
        segments: positions of the segments that they stand for.
        radius: in pixels.
        opacity: from 0 to 1.
    """

    x: Sequence[float]
    y: Sequence[float]
    colours: Sequence[str]
    titles: Sequence[str] = ()
    segments: Sequence[int] = ()
    radius: float = 3.0
    opacity: float = 0.6


@dataclass(frozen=True)
class Line:
    """A line through points; it is interrupted where y is NaN."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dashed: bool = False
    dots: bool = False
    titles: Sequence[str] = ()


@dataclass(frozen=True)
class Bars:
    """Bars from 0, with intervals where they are known."""

    x: Sequence[float]
    height: Sequence[float]
    width: float
    colours: Sequence[str]
    titles: Sequence[str]
    intervals: Sequence[tuple[float, float] | None] = ()


@dataclass(frozen=True)
class Cells:
    """A matrix of squares, of which row 0 is at the top; darker for larger values, from 0 to 1."""

    values: Sequence[Sequence[float]]
    texts: Sequence[Sequence[str]]
    titles: Sequence[Sequence[str]]


Mark = Points | Line | Bars | Cells


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        name: of its file.
        title: what it shows.
        reading: how to read it.
        x, y: its axes.
        marks: from back to front.
        legend: texts and their colours.
        height: in pixels, of a width of 440.
    """

    name: str
    title: str
    reading: str
    x: Axis
    y: Axis
    marks: Sequence[Mark]
    legend: Sequence[tuple[str, str]] = field(default=())
    height: int = 300


def axis(
    label: str,
    values: Sequence[float],
    *,
    zero: bool = False,
    count: int = 5,
    room: float = 0.04,
) -> Axis:
    """An axis with round ticks around values; NaN is left out.

    Args:
        label: what it measures.
        values: what it shows.
        zero: whether it begins at 0.
        count: ticks, about.
        room: left free at both ends, as a part of the whole.
    """
    known = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = (0.0 if zero else min(known)), max(known)
    if high <= low:
        low, high = (low, low + 1.0) if zero else (low - 0.5, low + 0.5)
    free = (high - low) * room
    low, high = (low if zero else low - free), high + free
    step = _round_step((high - low) / count)
    first = math.ceil(low / step - 1e-9)
    ticks = [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]
    return Axis(label, low, high, [(tick, number(tick, step)) for tick in ticks])


def number(value: float, step: float) -> str:
    """A tick's text, with as many digits as the step between ticks needs."""
    if abs(value) < step / 1000:
        return "0"
    if (step < 1e-3 and abs(value) < 0.1) or abs(value) >= 1e5:
        digits = max(1, math.floor(math.log10(abs(value))) - math.floor(math.log10(step) + 1e-9))
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _round_step(step: float) -> float:
    power: float = 10.0 ** math.floor(math.log10(step))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= step * 0.999)
