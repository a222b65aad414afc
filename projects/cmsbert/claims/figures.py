"""The figures of claims.md, drawn from its records as SVG.

A figure holds the hash of its record. So `claims.py --check` finds one that is out of date without
drawing it again: another version of matplotlib would draw another file.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tables import damage_curves, planted

from mmf_cmsbert.experiments.cues import report as cues
from mmf_cmsbert.experiments.cues.benchmark import RECIPES
from mmf_cmsbert.experiments.cues.scores import estimated
from mmf_cmsbert.files import replace_text, replaced_file
from mmf_cmsbert.robustness.writing import TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, Any]
# Title -> recipe -> lines, each of x and y.
Panels = dict[str, dict[str, list[tuple[Any, Any]]]]
_DATE = re.compile(r"\s*<dc:date>.*?</dc:date>")
# As in the plots of `cmsbert benchmark cues`.
_COLOURS = {"text_only": "C0", "mag": "C1", "cms": "C2", "cms_clr": "C3"}
_OTHERS = ("C4", "C5", "C6", "C7")


def responses(record: Record, file: Path) -> None:
    """Planted cues: the response against the strength, with intervals over the draws."""
    cues.write_plot(planted(record), [file])


def shares(record: Record, file: Path) -> None:
    """Planted cues: the share of the bound that each recipe finds, with intervals over the draws.

    A panel for each placement; small dots are draws.
    """
    scores = planted(record)
    placements, size = scores.benchmark.placements, max(scores.benchmark.sizes)
    with _panels(file, 1, len(placements), height=1.9) as (figure, panels):
        for panel, placement in zip(panels, placements, strict=True):
            for row, recipe in enumerate(reversed(RECIPES)):
                draws = list(scores.shares(recipe, placement, size).values())
                mean = estimated(draws)
                if mean.low is not None:  # more than one draw
                    panel.hlines(row, mean.low, mean.high, color=_COLOURS[recipe])
                panel.plot(draws, [row] * len(draws), ".", color=_COLOURS[recipe], ms=4, alpha=0.5)
                panel.plot([mean.value], [row], "o", color=_COLOURS[recipe], ms=6)
            panel.axvline(0, color="grey", lw=0.6)
            panel.axvline(1, color="black", lw=1, ls="--")
            panel.set_title(placement, fontsize=9)
            panel.set_yticks(range(len(RECIPES)), reversed(RECIPES), fontsize=8)
        figure.supxlabel("share of what the bound finds (dashed)", fontsize=8)


def sizes(record: Record, file: Path) -> None:
    """Planted cues: the share of the bound against the number of training segments.

    A panel for each placement, with intervals over the draws.
    """
    scores = planted(record)
    placements, counts = scores.benchmark.placements, scores.benchmark.sizes
    with _panels(file, 1, len(placements), height=2.3) as (figure, panels):
        for panel, placement in zip(panels, placements, strict=True):
            for recipe in RECIPES:
                means = [
                    estimated(list(scores.shares(recipe, placement, count).values()))
                    for count in counts
                ]
                values = [mean.value for mean in means]
                line = {"color": _COLOURS[recipe], "lw": 1.2, "marker": "o", "ms": 3}
                panel.plot(counts, values, label=recipe, **line)
                if all(mean.low is not None for mean in means):  # more than one draw
                    ends = [mean.low for mean in means], [mean.high for mean in means]
                    panel.fill_between(counts, *ends, color=_COLOURS[recipe], alpha=0.15, lw=0)
            panel.axhline(1, color="black", lw=1, ls="--")
            panel.set_xscale("log")
            panel.set_xticks(counts, map(str, counts))
            panel.set_xticks([], minor=True)
            panel.set_title(placement, fontsize=9)
        figure.supxlabel("training segments", fontsize=8)
        figure.supylabel("share of the bound (dashed)", fontsize=8)
        _legend(figure)


def damage(record: Record, file: Path, *modalities: str) -> None:
    """Robustness: the mean error of a recipe's runs against the level of damage.

    Args:
        record: with the JSON of `cmsbert robustness`.
        file: to be written.
        modalities: what is damaged; everything if none is named.
    """
    panels: Panels = {}
    for (recipe, kind, modality), curves in damage_curves(record, modalities).items():
        errors = zip(
            *([each["value"] for each in curve["errors"]] for curve in curves), strict=True
        )
        means = [sum(level) / len(level) for level in errors]
        lines = panels.setdefault(f"{TITLES[kind][0]}, {modality}", {}).setdefault(recipe, [])
        lines.append((curves[0]["levels"], means))
    _write(panels, len(modalities) or 3, ("level of the damage", "MAE"), file)


def validations(record: Record, file: Path, *recipes: str) -> None:
    """The validation curves of all runs, a panel for each base and label.

    Args:
        record: of an ablation.
        file: to be written.
        recipes: what is drawn; everything if none is named.
    """
    panels: Panels = {}
    for run in record["runs"]:
        recipe, _, label = run["recipe"].partition(" ")
        if not recipes or recipe in recipes:
            panel = panels.setdefault(f"{run['base']} {label}".strip(), {})
            updates, values = zip(*run["curve"], strict=True)
            panel.setdefault(recipe, []).append((updates, values))
    bases = {run["base"] for run in record["runs"]}
    _write(panels, len(bases), ("update", "MAE on validation"), file)


def _write(panels: Panels, columns: int, axes: tuple[str, str], file: Path) -> None:
    rows = -(-len(panels) // columns)
    names = list(dict.fromkeys(name for panel in panels.values() for name in panel))
    others = [name for name in names if name not in _COLOURS]
    colours = _COLOURS | dict(zip(others, _OTHERS, strict=False))
    with _panels(file, rows, columns, height=1 + 1.8 * rows) as (figure, places):
        for place, (title, lines) in zip(places, panels.items(), strict=False):
            for name, own in lines.items():
                for x, y in own:
                    place.plot(x, y, color=colours[name], lw=1.2, marker="o", ms=2, label=name)
            place.set_title(title, fontsize=8)
        for place in places[len(panels) :]:
            place.set_visible(False)
        figure.supxlabel(axes[0], fontsize=8)
        figure.supylabel(axes[1], fontsize=8)
        _legend(figure)


@contextmanager
def _panels(
    file: Path, rows: int, columns: int, height: float
) -> Iterator[tuple["Figure", list["Axes"]]]:
    """Give a figure and its panels, and write it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.2 + 2 * columns, height), layout="constrained")
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    yield figure, panels
    for panel in panels:
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    with replaced_file(file) as unfinished:
        figure.savefig(unfinished, format="svg")


def _legend(figure: "Figure") -> None:
    found: dict[str, Any] = {}
    for panel in figure.axes:
        found |= dict(zip(*reversed(panel.get_legend_handles_labels()), strict=True))
    figure.legend(found.values(), found, loc="outside upper center", ncols=len(found), fontsize=8)


# Kind -> what it shows, and how it is drawn.
FIGURES: dict[str, tuple[str, Callable[..., None]]] = {
    "responses": ("Response of the predictions to planted cues", responses),
    "shares": ("Share of the planted cues that each recipe finds", shares),
    "sizes": ("Share of the planted cues by the number of training segments", sizes),
    "damage": ("Error against the level of damage at test", damage),
    "validations": ("Validation error during training", validations),
}


def image(record: Record, name: str, words: Sequence[str], folder: Path) -> tuple[str, Path]:
    """Return the Markdown of a figure, and its file.

    Args:
        record: what is drawn.
        name: of the record.
        words: a kind of `FIGURES`, and its options.
        folder: where figures are.
    """
    file = folder / f"{'_'.join([name, *words])}.svg"
    return f"![{FIGURES[words[0]][0]}]({folder.name}/{file.name})", file


def draw(record: Record, words: Sequence[str], file: Path) -> None:
    """Draw a figure, unless the file is this record's."""
    if is_drawn(record, file):
        return
    import matplotlib

    kind, *options = words
    file.parent.mkdir(parents=True, exist_ok=True)
    # Letters stay text, and the same record gives the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "claims"}):
        FIGURES[kind][1](record, file, *options)
    text = _DATE.sub("", file.read_text(encoding="utf-8")).rstrip()
    replace_text(file, f"{text}\n{_mark(record)}\n")


def is_drawn(record: Record, file: Path) -> bool:
    """Return whether a figure exists and is this record's."""
    return file.is_file() and file.read_text(encoding="utf-8").endswith(f"{_mark(record)}\n")


def _mark(record: Record) -> str:
    text = json.dumps(record, sort_keys=True)
    return f"<!-- record sha256 {hashlib.sha256(text.encode()).hexdigest()} -->"
