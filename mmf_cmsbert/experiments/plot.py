"""Plot of the results: a dot for each run; above them each recipe's mean with its deviation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mmf_cmsbert.experiments.results import Results, short_name
from mmf_cmsbert.files import replaced_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 4
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
    for panel, metric in zip(panels, metrics, strict=False):
        _draw(panel, results, metric)
    for panel in list(panels)[len(metrics) :]:
        panel.set_visible(False)
    figure.suptitle(
        f"{results.scored}: runs, and their mean ± sample standard deviation "
        f"(dotted: the mean of {results.reference})",
        fontsize=9,
    )
    for file in files:
        with replaced_file(file) as unfinished:
            figure.savefig(unfinished, dpi=150, format=file.suffix[1:])


def _draw(panel: Axes, results: Results, metric: str) -> None:
    from matplotlib.ticker import MaxNLocator

    for row, recipe in enumerate(results.recipes):
        values = [run.scores[metric] for run in results.of(recipe) if metric in run.scores]
        summary = results.summary(recipe, metric)
        if summary is None:
            continue
        below = [row + _BELOW] * len(values)
        panel.plot(values, below, "o", color=_DOT, alpha=0.7, markersize=4, mew=0)
        panel.errorbar(summary.mean, row, xerr=summary.deviation, fmt="o", color=_MEAN, capsize=3)
        if recipe == results.reference:
            panel.axvline(summary.mean, color=_REFERENCE, linewidth=0.8, linestyle=":")
    panel.set_yticks(range(len(results.recipes)), results.recipes, fontsize=8)
    panel.set_ylim(len(results.recipes) - 0.5, -0.5)
    panel.set_title(short_name(metric, results.metrics()), fontsize=9)
    panel.xaxis.set_major_locator(MaxNLocator(4))
    panel.tick_params(axis="x", labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
