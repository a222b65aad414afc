"""Plot of the results: a dot for each run; above them each recipe's mean with two intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmf_cmsbert.experiments.results import Results
from mmf_cmsbert.experiments.table import SYNTHETIC
from mmf_cmsbert.files import replaced_file
from mmf_cmsbert.report.measures import Measure, measures
from mmf_cmsbert.utils.statistics import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4
_LEAST = 3  # runs; the interval of two is wider than anything else
_BELOW = 0.24  # distance of a recipe's dots from its bar, in rows
_DOT, _MEAN, _REFERENCE = "#7a8ba3", "#1b2a41", "#c8553d"


def can_plot() -> bool:
    """Return whether matplotlib, an optional dependency, is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def write(results: Results, *files: Path) -> None:
    """Draw one panel for each metric; the files' suffixes give the formats."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    metrics, recipes = results.metrics(), results.recipes
    columns = min(_COLUMNS, len(metrics))
    rows = -(-len(metrics) // columns)
    height = 0.7 + 0.3 * len(recipes)
    figure = Figure(figsize=(1.2 + 2.6 * columns, 0.5 + height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).flat
    for panel, measure in zip(panels, measures(metrics), strict=False):
        _draw(panel, results, measure)
    for panel in list(panels)[len(metrics) :]:
        panel.set_visible(False)
    title = (
        f"{results.scored}: runs, their mean ± sample standard deviation (thick), and its 95% "
        f"interval (thin). Dotted: the mean of {results.reference}"
    )
    title = f"{SYNTHETIC}\n{title}" if results.synthetic else title
    figure.suptitle(title, fontsize=9)
    for file in files:
        with replaced_file(file) as unfinished:
            figure.savefig(unfinished, dpi=150, format=file.suffix[1:])


def _draw(panel: Axes, results: Results, measure: Measure) -> None:
    from matplotlib.ticker import MaxNLocator

    metric = measure.key
    for row, recipe in enumerate(results.recipes):
        values = [run.scores[metric] for run in results.of(recipe) if metric in run.scores]
        summary = results.summary(recipe, metric)
        if summary is None:
            continue
        below = [row + _BELOW] * len(values)
        panel.plot(values, below, "o", color=_DOT, alpha=0.7, markersize=4, mew=0)
        if len(values) >= _LEAST:
            panel.plot(interval(values), [row, row], "-|", color=_MEAN, linewidth=0.8)
        deviation = summary.deviation or 0.0
        ends = [summary.mean - deviation, summary.mean + deviation]
        panel.plot(ends, [row, row], color=_MEAN, linewidth=3, solid_capstyle="butt", alpha=0.6)
        panel.plot(summary.mean, row, "o", color=_MEAN, markersize=5)
        if recipe == results.reference:
            panel.axvline(summary.mean, color=_REFERENCE, linewidth=0.8, linestyle=":")
    panel.set_yticks(range(len(results.recipes)), results.recipes, fontsize=8)
    panel.set_ylim(len(results.recipes) - 0.5, -0.5)
    direction = f" ({measure.better})" if measure.better else ""
    panel.set_title(f"{measure.name}{direction}", fontsize=9)
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.tick_params(axis="x", labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
