"""Charts as inline SVG, whose colours and fonts are the page's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from mmf_cmsbert.report.chart import Bars, Cells, Chart, Line, Points

WIDTH = 440
_RIGHT, _TOP, _BOTTOM, _LEGEND = 12, 10, 46, 20
_LINE = 15  # between two lines of a tick
_LETTER = 6.7  # width of a letter, about


class _Frame:
    """Where values are in the picture."""

    def __init__(self, chart: Chart):
        self.x, self.y = chart.x, chart.y
        longest = max((len(text) for _, text in chart.y.ticks), default=0)
        self.left = max(44, round(30 + _LETTER * longest))
        self.rows = list(_legend_rows(chart.legend, self.left))
        self.top = _TOP + _LEGEND * len(self.rows)
        lines = max((text.count("\n") for _, text in chart.x.ticks), default=0)
        self.height = chart.height + _LEGEND * len(self.rows) + _LINE * lines
        self.bottom = self.height - _BOTTOM - _LINE * lines

    def h(self, value: float) -> float:
        share = (value - self.x.low) / (self.x.high - self.x.low)
        return round(self.left + share * (WIDTH - self.left - _RIGHT), 1)

    def v(self, value: float) -> float:
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return round(self.bottom - share * (self.bottom - self.top), 1)


def draw(chart: Chart) -> Markup:
    """The chart as an element ``svg``."""
    frame = _Frame(chart)
    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {frame.height}" role="img" '
        f'aria-label="{escape(chart.title)}">',
        *_axes(frame),
    ]
    for mark in chart.marks:
        if isinstance(mark, Points):
            parts += _points(mark, frame)
        elif isinstance(mark, Line):
            parts += _line(mark, frame)
        elif isinstance(mark, Bars):
            parts += _bars(mark, frame)
        else:
            parts += _cells(mark, frame)
    parts += _legend(frame)
    return Markup("".join(parts) + "</svg>")


def _axes(frame: _Frame) -> Iterator[str]:
    right = WIDTH - _RIGHT
    for value, text in frame.y.ticks:
        v = frame.v(value)
        yield f'<line class="grid" x1="{frame.left}" x2="{right}" y1="{v}" y2="{v}"/>'
        yield (
            f'<text class="tick" x="{frame.left - 7}" y="{v + 4}" text-anchor="end">'
            f"{escape(text)}</text>"
        )
    for value, text in frame.x.ticks:
        h = frame.h(value)
        for i, line in enumerate(text.split("\n")):
            v = frame.bottom + 17 + _LINE * i
            yield f'<text class="tick" x="{h}" y="{v}" text-anchor="middle">{escape(line)}</text>'
    yield (
        f'<line class="axis" x1="{frame.left}" x2="{right}" y1="{frame.bottom}" '
        f'y2="{frame.bottom}"/>'
    )
    middle = (frame.left + right) / 2
    yield (
        f'<text class="label" x="{middle}" y="{frame.height - 8}" text-anchor="middle">'
        f"{escape(frame.x.label)}</text>"
    )
    middle = (frame.top + frame.bottom) / 2
    yield (
        f'<text class="label" transform="translate(14 {middle}) rotate(-90)" '
        f'text-anchor="middle">{escape(frame.y.label)}</text>'
    )


def _title(titles: Sequence[str], i: int) -> str:
    return f"<title>{escape(titles[i])}</title>" if titles else ""


def _points(mark: Points, frame: _Frame) -> Iterator[str]:
    yield f'<g class="points" style="opacity:{mark.opacity}">'
    for i, (x, y) in enumerate(zip(mark.x, mark.y, strict=True)):
        colour = mark.colours[i if len(mark.colours) > 1 else 0]
        segment = f' data-segment="{mark.segments[i]}"' if mark.segments else ""
        yield (
            f'<circle cx="{frame.h(x)}" cy="{frame.v(y)}" r="{mark.radius}" '
            f'class="f-{colour}"{segment}>{_title(mark.titles, i)}</circle>'
        )
    yield "</g>"


def _line(mark: Line, frame: _Frame) -> Iterator[str]:
    path, begun = [], False
    for x, y in zip(mark.x, mark.y, strict=True):
        if not math.isfinite(y):
            begun = False
            continue
        path.append(f"{'L' if begun else 'M'}{frame.h(x)} {frame.v(y)}")
        begun = True
    dashed = " dashed" if mark.dashed else ""
    yield f'<path class="line s-{mark.colour}{dashed}" d="{"".join(path)}"/>'
    if mark.dots:
        for i, (x, y) in enumerate(zip(mark.x, mark.y, strict=True)):
            if math.isfinite(y):
                yield (
                    f'<circle class="dot f-{mark.colour}" cx="{frame.h(x)}" cy="{frame.v(y)}" '
                    f'r="3.5">{_title(mark.titles, i)}</circle>'
                )


def _bars(mark: Bars, frame: _Frame) -> Iterator[str]:
    base = frame.v(max(0.0, frame.y.low))
    for i, (x, height) in enumerate(zip(mark.x, mark.height, strict=True)):
        if not math.isfinite(height):
            continue
        left, right = frame.h(x - mark.width / 2), frame.h(x + mark.width / 2)
        top = frame.v(height)
        colour = mark.colours[i if len(mark.colours) > 1 else 0]
        yield (
            f'<rect class="f-{colour}" x="{left}" y="{min(top, base)}" '
            f'width="{right - left:.1f}" height="{abs(base - top):.1f}" rx="2">'
            f"{_title(mark.titles, i)}</rect>"
        )
        if mark.intervals and (found := mark.intervals[i]):
            low, high, middle = frame.v(found[0]), frame.v(found[1]), frame.h(x)
            yield (
                f'<path class="interval" d="M{middle} {low}V{high}M{middle - 4} {low}h8'
                f'M{middle - 4} {high}h8"/>'
            )


def _cells(mark: Cells, frame: _Frame) -> Iterator[str]:
    rows, columns = len(mark.values), len(mark.values[0])
    for row in range(rows):
        for column in range(columns):
            left, right = frame.h(column), frame.h(column + 1)
            top, bottom = frame.v(rows - row), frame.v(rows - row - 1)
            value = mark.values[row][column]
            strong = " strong" if value > 0.5 else ""
            yield (
                f'<g class="cell{strong}"><rect class="back" x="{left + 1:.1f}" y="{top + 1:.1f}" '
                f'width="{right - left - 2:.1f}" height="{bottom - top - 2:.1f}" rx="2"/>'
                f'<rect class="f-main" style="opacity:{value:.3f}" x="{left + 1:.1f}" '
                f'y="{top + 1:.1f}" width="{right - left - 2:.1f}" '
                f'height="{bottom - top - 2:.1f}" rx="2"/>'
                f'<text x="{(left + right) / 2:.1f}" y="{(top + bottom) / 2 + 4:.1f}" '
                f'text-anchor="middle">{escape(mark.texts[row][column])}</text>'
                f"<title>{escape(mark.titles[row][column])}</title></g>"
            )


def _legend_rows(
    legend: Sequence[tuple[str, str]], start: int
) -> Iterator[list[tuple[int, str, str]]]:
    """The legend's entries in rows, each with its place from the left."""
    row: list[tuple[int, str, str]] = []
    left = start
    for text, colour in legend:
        width = 24 + round(_LETTER * len(text)) + 12
        if row and left + width > WIDTH:
            yield row
            row, left = [], start
        row.append((left, text, colour))
        left += width
    if row:
        yield row


def _legend(frame: _Frame) -> Iterator[str]:
    for number, row in enumerate(frame.rows):
        v = 14 + _LEGEND * number
        for left, text, colour in row:
            yield f'<rect class="f-{colour}" x="{left}" y="{v - 9}" width="14" height="10" rx="2"/>'
            yield f'<text class="legend" x="{left + 20}" y="{v}">{escape(text)}</text>'
