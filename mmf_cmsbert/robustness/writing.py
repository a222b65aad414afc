"""Curves of robustness as a table, JSON and a plot."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmf_cmsbert.files import replace_text, replaced_file
from mmf_cmsbert.robustness.curves import Curve, Split
from mmf_cmsbert.utils.statistics import Estimate

FORMAT = 1
# Kind of damage -> its title and what the level is.
TITLES = {
    "frames": ("lost frames", "share of frames"),
    "segments": ("missing modality", "share of segments"),
    "noise": ("noise", "standard deviations"),
    "shift": ("delay", "share of the utterance"),
}


def names(curves: Sequence[Curve]) -> dict[str, str]:
    """Return run -> the shortest end of its path that no other run has."""
    paths = {each.run: Path(each.run).absolute().parts for each in curves}
    for length in range(1, max(map(len, paths.values())) + 1):
        found = {run: "/".join(parts[-length:]) for run, parts in paths.items()}
        if len(set(found.values())) == len(found):
            break
    return found


def rows(curves: Sequence[Curve]) -> list[list[str]]:
    """Return the header and one row per curve: the error at each level, and the mean added."""
    name_of = names(curves)
    levels = [f"{level:g}" for level in curves[0].levels]
    found = [["run", "damage", "to", *levels, "mean added"]]
    for each in curves:
        errors = (f"{error.value:.3f}" for error in each.errors)
        title = TITLES[each.kind][0]
        found.append([name_of[each.run], title, each.modality, *errors, f"{each.added:+.3f}"])
    return found


def write(curves: Sequence[Curve], split: Split, command: str, draws: int, file: Path) -> None:
    """Write all curves as JSON."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "command": command,
        "dataset": split.dataset,
        "split": split.name,
        "segments": len(split.segments),
        "content": split.content,
        "synthetic": split.synthetic,
        "draws": draws,
        "curves": [asdict(each) | {"mean_added": each.added} for each in curves],
    }
    replace_text(file, json.dumps(content, indent=1) + "\n")


def plot(curves: Sequence[Curve], split: Split, files: Sequence[Path]) -> None:
    """Draw a panel for each damage and modality, with a line for each run."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(each.kind for each in curves))
    modalities = list(dict.fromkeys(each.modality for each in curves))
    name_of = names(curves)
    figure = Figure(figsize=(1 + 2.4 * len(kinds), 1 + 2.1 * len(modalities)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(modalities), len(kinds), sharey=True, squeeze=False)
    for row, modality in enumerate(modalities):
        for column, kind in enumerate(kinds):
            panel = panels[row][column]
            for each in curves:
                if (each.kind, each.modality) == (kind, modality):
                    margins = [_margin(error) for error in each.errors]
                    values = [error.value for error in each.errors]
                    line = panel.errorbar(each.levels, values, margins, marker="o", ms=3)
                    line.set_label(name_of[each.run])
            panel.set_title(f"{TITLES[kind][0]}: {modality}", fontsize=9)
            panel.set_xlabel(TITLES[kind][1], fontsize=8)
            panel.tick_params(labelsize=7)
            panel.spines[["top", "right"]].set_visible(False)
        panels[row][0].set_ylabel("error (lower is better)", fontsize=8)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", fontsize=8)
    synthetic = "SYNTHETIC DATA. " if split.synthetic else ""
    figure.suptitle(f"{synthetic}Error on {split.name} of {split.dataset}", fontsize=9)
    for file in files:
        with replaced_file(file) as unfinished:
            figure.savefig(unfinished, dpi=150, format=file.suffix[1:])


def _margin(error: Estimate) -> float:
    return 0.0 if error.high is None else error.high - error.value
