"""The results of the benchmark: tables, JSON and a plot of the dose-response curves."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmf_cmsbert.experiments import table
from mmf_cmsbert.experiments.cues import scores as measured
from mmf_cmsbert.experiments.cues.benchmark import RECIPES
from mmf_cmsbert.experiments.cues.scores import Scores
from mmf_cmsbert.experiments.cues.texts import Texts
from mmf_cmsbert.files import replace_text, replaced_file
from mmf_cmsbert.utils.statistics import LEVEL

FORMAT = 1
SEMI = (
    "SEMI-SYNTHETIC: transcripts and labels are the corpus's, frames are made and the label has a "
    "planted part. These scores say whether a recipe can find such cues, not whether real frames "
    "have them."
)
NOTE = (
    "Response: slope of the test predictions on the cue, in units of the label, mean over draws "
    "with its 95% interval by Student's t. It is 0 without frames; bound is that of the best "
    "possible estimate. Share: the responses over all strengths above zero, divided by those of "
    "the bound."
)


def curves(scores: Scores) -> list[list[str]]:
    """Return one row per placement, size and recipe, with the response at each strength."""
    plan = scores.benchmark
    rows = [["placement", "size", "recipe", *(f"{s:g}" for s in plan.strengths), "share"]]
    for placement in plan.placements:
        for size in plan.sizes:
            own = {
                (point.recipe, point.condition.strength): point
                for point in scores.points
                if (point.condition.placement, point.condition.size) == (placement, size)
            }
            if not own:
                continue
            limits = {point.condition.strength: point.bound for point in own.values()}
            cells = (f"{limits[s]:.2f}" if s in limits else "-" for s in plan.strengths)
            rows.append([placement, str(size), "bound", *cells, "1"])
            for recipe in RECIPES:
                found = [own.get((recipe, strength)) for strength in plan.strengths]
                cells = (table.estimate(each.response if each else None, 2) for each in found)
                shares = list(scores.shares(recipe, placement, size).values())
                share = table.estimate(measured.estimated(shares), 2) if shares else "-"
                rows.append([placement, str(size), recipe, *cells, share])
    return rows


def errors(scores: Scores) -> list[list[str]]:
    """Return one row per placement, size, recipe and strength: its errors and what they tend to."""
    rows = [["placement", "size", "recipe", "strength", "MAE", "MSE"]]
    rows[0] += ["MSE, cue not found", "MSE, cue estimated"]
    for point in scores.points:
        condition = point.condition
        limits = ("-" if v is None else f"{v:.3f}" for v in (point.mse_text, point.mse_bound))
        rows.append(
            [condition.placement, str(condition.size), point.recipe, f"{condition.strength:g}"]
            + [f"{point.mae:.3f}", f"{point.mse:.3f}", *limits]
        )
    return rows


def comparisons(scores: Scores) -> list[list[str]]:
    """Return one row per compared pair, placement and size: the paired difference of shares."""
    rows = [["placement", "size", "recipe", "less", "share difference", "95%", "p", "p (Holm)"]]
    for (recipe, other, placement, size), (pair, corrected) in scores.comparisons.items():
        p = ("-" if value is None else f"{value:.3f}" for value in (pair.p, corrected))
        ends = table.interval(pair.low, pair.high, "+", 2)
        rows.append([placement, str(size), recipe, other, f"{pair.mean:+.2f}", ends, *p])
    return rows


def controls(scores: Scores) -> list[list[str]]:
    """Return one row per control and recipe: its response, and whether that is an effect."""
    rows = [["control", "recipe", "response", "p (Holm)", "effect"]]
    for each in scores.controls:
        effect = "cannot be told" if each.p is None else "YES" if each.p < LEVEL else "no"
        p = "-" if each.p is None else f"{each.p:.3f}"
        rows.append([each.name, each.recipe, table.estimate(each.response), p, effect])
    return rows


def write_markdown(file: Path, scores: Scores, command: str, about: str) -> None:
    """Write all tables."""
    parts = ["# Planted cues", f"**{SEMI}**", f"    {command}", about, NOTE]
    for title, rows in (
        ("Responses", curves(scores)),
        ("Paired differences of shares", comparisons(scores)),
        ("Controls: none should show an effect", controls(scores)),
        ("Errors", errors(scores)),
    ):
        parts += [f"## {title}", table.markdown(rows)]
    replace_text(file, "\n\n".join(parts) + "\n")


def write_json(file: Path, scores: Scores, command: str, texts: Texts) -> None:
    """Write the scores of every run, and what the tables show."""
    plan = scores.benchmark
    content: dict[str, Any] = {
        "format": FORMAT,
        "semi_synthetic": True,
        "command": command,
        "sources": [{"path": each.path, "sha256": each.sha256} for each in texts.sources],
        "segments": {split: len(each) for split, each in texts.splits.items()},
        "bounds": [
            {"placement": placement, "draw": draw, **asdict(bound)}
            for (placement, draw), bound in plan.bounds.items()
        ],
        "runs": [
            {"recipe": recipe, **asdict(condition), "scores": dict(found)}
            for (recipe, condition), found in scores.runs.items()
        ],
        "points": [asdict(point) for point in scores.points],
        "comparisons": [
            {"recipe": recipe, "other": other, "placement": placement, "size": size}
            | asdict(pair)
            | {"p_holm": corrected}
            for (recipe, other, placement, size), (pair, corrected) in scores.comparisons.items()
        ],
        "controls": [asdict(each) for each in scores.controls],
    }
    replace_text(file, json.dumps(content, indent=1) + "\n")


def write_plot(scores: Scores, files: Sequence[Path]) -> None:
    """Draw a panel for each placement and size: the response against the strength."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    plan = scores.benchmark
    shape = len(plan.sizes), len(plan.placements)
    figure = Figure(figsize=(1 + 2.6 * shape[1], 1 + 2.3 * shape[0]), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(*shape, sharex=True, sharey=True, squeeze=False)
    for row, size in enumerate(plan.sizes):
        for column, placement in enumerate(plan.placements):
            panel = panels[row][column]
            own = [
                point
                for point in scores.points
                if (point.condition.placement, point.condition.size) == (placement, size)
            ]
            _draw(panel, own)
            panel.set_title(f"{placement}, {size} segments", fontsize=9)
            if column == 0:
                panel.set_ylabel("response", fontsize=8)
            if row == shape[0] - 1:
                panel.set_xlabel("strength of the cue", fontsize=8)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8)
    figure.suptitle(
        "Semi-synthetic: response of predictions to planted cues, mean over draws and its 95% "
        "interval",
        fontsize=9,
    )
    for file in files:
        with replaced_file(file) as unfinished:
            figure.savefig(unfinished, dpi=150, format=file.suffix[1:])


def _draw(panel: Any, points: Sequence[measured.Point]) -> None:
    limits = {point.condition.strength: point.bound for point in points}
    panel.plot(list(limits), list(limits.values()), "--", color="black", linewidth=1, label="bound")
    panel.axhline(0, color="grey", linewidth=0.6)
    for recipe in RECIPES:
        own = [point for point in points if point.recipe == recipe]
        x = [point.condition.strength for point in own]
        y = [point.response.value for point in own]
        margins = [
            0.0 if point.response.high is None else point.response.high - point.response.value
            for point in own
        ]
        panel.errorbar(x, y, margins, marker="o", markersize=3, linewidth=1, label=recipe)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
