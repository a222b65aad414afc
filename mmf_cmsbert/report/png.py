"""Charts as PNG files, drawn by matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from mmf_cmsbert.report.chart import PALETTE, Bars, Cells, Chart, Line, Points
from mmf_cmsbert.report.svg import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 150
_COLUMNS, _LEGEND = 4, 18  # entries of the legend in a row, pixels of a row


def can_draw() -> bool:
    """Return whether matplotlib, an optional dependency, is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def draw(chart: Chart) -> bytes:
    """The chart as the content of a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = -(-len(chart.legend) // _COLUMNS)
    width, height = WIDTH / 80, (chart.height + 40 + _LEGEND * lines) / 80
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    # Measured here: matplotlib's own layout draws each figure twice.
    longest = max((len(text) for _, text in chart.y.ticks), default=0)
    below = 0.6 + _LEGEND / 80 * lines
    axes = figure.add_axes(
        (
            left := (0.45 + 0.075 * longest) / width,
            bottom := below / height,
            0.97 - left,
            1 - bottom - 0.35 / height,
        )
    )
    for mark in chart.marks:
        _draw(axes, mark)
    axes.set_xlim(chart.x.low, chart.x.high)
    axes.set_ylim(chart.y.low, chart.y.high)
    axes.set_xticks(*map(list, zip(*chart.x.ticks, strict=True)) if chart.x.ticks else ([],))
    axes.set_yticks(*map(list, zip(*chart.y.ticks, strict=True)) if chart.y.ticks else ([],))
    axes.set_xlabel(_literal(chart.x.label))
    axes.set_ylabel(_literal(chart.y.label))
    axes.set_title(_literal(chart.title), fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    if not any(isinstance(mark, Cells) for mark in chart.marks):
        axes.grid(axis="y", color="#e3e7ec", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8, length=0)
    if chart.legend:
        handles = [axes.scatter([], [], color=PALETTE[c], marker="s") for _, c in chart.legend]
        names = [_literal(text) for text, _ in chart.legend]
        figure.legend(handles, names, loc="lower center", ncols=_COLUMNS, fontsize=7, frameon=False)
    content = io.BytesIO()
    figure.savefig(content, dpi=_DPI, format="png", pil_kwargs={"compress_level": 3})
    return content.getvalue()


def _literal(text: str) -> str:
    return text.replace("$", r"\$")  # matplotlib's sign of a formula


def _draw(axes: Axes, mark: Points | Line | Bars | Cells) -> None:
    if isinstance(mark, Cells):
        rows, columns = np.shape(mark.values)
        extent = (0, columns, 0, rows)
        axes.imshow(mark.values, cmap="Blues", vmin=0, vmax=1.2, extent=extent, aspect="auto")
        for row in range(rows):
            for column in range(columns):
                place = (column + 0.5, rows - row - 0.5)
                dark = mark.values[row][column] > 0.6
                axes.annotate(
                    mark.texts[row][column],
                    place,
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if dark else "black",
                )
    elif isinstance(mark, Bars):
        colours = [PALETTE[colour] for colour in mark.colours]
        axes.bar(mark.x, mark.height, mark.width, color=colours)
        for x, height, found in zip(mark.x, mark.height, mark.intervals, strict=False):
            if found:
                spans = [[height - found[0]], [found[1] - height]]
                axes.errorbar(x, height, yerr=spans, color="#30363d", capsize=3, linewidth=1)
    elif isinstance(mark, Line):
        style = "--" if mark.dashed else "-"
        colour = PALETTE[mark.colour]
        marker = "o" if mark.dots else None
        axes.plot(mark.x, mark.y, style, color=colour, marker=marker, markersize=4, linewidth=1.5)
    else:
        colours = [PALETTE[colour] for colour in mark.colours]
        size = (mark.radius * 1.2) ** 2
        axes.scatter(mark.x, mark.y, s=size, c=colours, alpha=mark.opacity, linewidths=0)
