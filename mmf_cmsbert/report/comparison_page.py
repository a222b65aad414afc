"""The page of several runs, side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.records.history import Training
from mmf_cmsbert.report import comparison, measures, page, rows, run_page
from mmf_cmsbert.report.chart import SERIES, Axis, Chart, Line, Points, axis
from mmf_cmsbert.report.collecting import RunReport, scored_split
from mmf_cmsbert.report.curves import thinned, validation_curve

REPORT = "report.html"


def charts(runs: Sequence[RunReport]) -> dict[str, list[Chart]]:
    """The curves of all runs in one chart each, and the differences of their errors."""
    names = comparison.names(runs)
    found = [_validation(runs, names), _training(runs, names)]
    result = {"curves": [chart for chart in found if chart.marks]}
    for part in runs[0].collected.parts:
        chart = _differences(runs, names, part.dataset)
        result[f"differences {part.dataset}"] = [chart] if chart else []
    return result


def _colours(runs: Sequence[RunReport]) -> list[str]:
    return [SERIES[i % len(SERIES)] for i in range(len(runs))]


def _validation(runs: Sequence[RunReport], names: Sequence[str]) -> Chart:
    chosen = measures.criterion(runs[0].record)
    marks: list[Any] = []
    values: list[float] = []
    updates: list[float] = [0]
    for i, (run, colour) in enumerate(zip(runs, _colours(runs), strict=True)):
        x, y = validation_curve(thinned(run.entries), chosen.key)
        if not x:
            continue
        marks.append(Line(x, y, colour, dashed=i >= len(SERIES)))
        values, updates = values + y, updates + x
        if best := run.record["best"]:
            title = f"{names[i]}: best at update {best['update']}, {best['value']:.4f}"
            marks.append(Points([best["update"]], [best["value"]], [colour], [title], (), 5, 1.0))
    return Chart(
        name="validation_criterion",
        title=f"Validation {chosen.name} ({chosen.better})",
        reading="A line for each run; a dot is the checkpoint that was chosen.",
        x=axis("update", updates, room=0.02),
        y=axis(f"validation {chosen.name}", values, room=0.08),
        marks=marks,
        legend=list(zip(names, _colours(runs), strict=True)),
        height=320,
    )


def _training(runs: Sequence[RunReport], names: Sequence[str]) -> Chart:
    marks: list[Any] = []
    values: list[float] = []
    updates: list[float] = [0]
    for i, (run, colour) in enumerate(zip(runs, _colours(runs), strict=True)):
        entries = thinned([each for each in run.entries if isinstance(each, Training)])
        if not entries:
            continue
        x = [float(each.update) for each in entries]
        y = [sum(loss or 0.0 for loss in each.losses.values()) for each in entries]
        marks.append(Line(x, y, colour, dashed=i >= len(SERIES)))
        values, updates = values + y, updates + x
    return Chart(
        name="training_loss",
        title="Training loss",
        reading="The sum of all losses, each point the mean of the updates since the point before. "
        "Runs with other losses or weights have another scale.",
        x=axis("update", updates, room=0.02),
        y=axis("loss", values, zero=min(values, default=0.0) >= 0),
        marks=marks,
        legend=list(zip(names, _colours(runs), strict=True)),
        height=320,
    )


def _differences(runs: Sequence[RunReport], names: Sequence[str], dataset: str) -> Chart | None:
    labels = [s.label for s in comparison.part_of(runs[0], dataset).segments]
    found = comparison.differences(labels, comparison.paired(runs, dataset))
    known = [(i, each) for i, each in enumerate(found, 1) if each]
    if not known:
        return None
    marks: list[Any] = [Line([0, 0], [0, len(known)], "muted", dashed=True)]
    values = [0.0]
    for row, (run, each) in enumerate(reversed(known)):
        place, colour = row + 0.5, _colours(runs)[run]
        low, high = (each.mean if end is None else end for end in (each.low, each.high))
        marks.append(Line([low, high], [place, place], colour))
        title = f"{names[run]}: {measures.signed(each.mean)}, 95% interval {_span(each)}"
        marks.append(Points([each.mean], [place], [colour], [title], (), 5, 1.0))
        values += [low, high]
    ticks = [(row + 0.5, _short(names[run])) for row, (run, _) in enumerate(reversed(known))]
    return Chart(
        name="differences",
        title=f"Error compared with {names[0]} (left is better)",
        reading="Dots: mean of the absolute errors minus those of the first run on the same "
        "segments. Lines: its 95% interval (Student's t). One that crosses 0 shows no difference.",
        x=axis("difference of the absolute error", values, room=0.06),
        y=Axis("", 0, len(known), ticks),
        marks=marks,
        height=90 + 34 * len(known),
    )


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"…{name[-17:]}"


def _span(found: comparison.Difference) -> str:
    if found.low is None or found.high is None:
        return "\N{EN DASH}"
    return f"{measures.signed(found.low)} to {measures.signed(found.high)}"


def render(runs: Sequence[RunReport], drawn: dict[str, list[Chart]], folder: Path) -> str:
    """The page as HTML.

    Args:
        runs: at least two, on the same segments.
        drawn: its charts.
        folder: of the file, for links to the runs' own reports.
    """
    names = comparison.names(runs)
    parts = runs[0].collected.parts
    several = len(parts) > 1
    context = {
        "title": f"{len(runs)} runs",
        "synthetic": any(run.synthetic for run in runs),
        "badge": f"{measures.SPLITS[scored_split(runs[0].record)].capitalize()} split",
        "runs": [_run(run, name, folder) for run, name in zip(runs, names, strict=True)],
        "notices": [
            f"{n}: {t}" for n, run in zip(names, runs, strict=True) for t in run_page.notices(run)
        ],
        "scores": _scores(runs),
        "names": names,
        "curves": drawn["curves"],
        "sections": _sections(several, [part.dataset for part in parts]),
    }

    def make(share: float, most: int) -> str:
        shown = [_part(runs, part.dataset, drawn, several, most) for part in parts]
        return page.render("comparison", context | {"parts": shown})

    return page.fitted(make, max(len(part.segments) for part in parts))


def _run(run: RunReport, name: str, folder: Path) -> dict[str, str]:
    report = run.folder / REPORT
    link = os.path.relpath(report, folder) if report.is_file() else ""
    facts = {fact: value for fact, value, _ in run_page.header(run)}
    shown = ("Recipe", "Best update", "Seed", "Started, time", "Device", "Command")
    return {"name": name, "link": Path(link).as_posix() if link else ""} | {
        fact: facts.get(fact, "") for fact in shown
    }


def _scores(runs: Sequence[RunReport]) -> list[dict[str, Any]]:
    """A row for each metric, with the value of each run, the best one marked."""
    split = "test" if scored_split(runs[0].record) == "test" else "validation"
    scored = [run.record[split] or {} for run in runs]
    found = []
    for each in measures.measures(dict.fromkeys(key for scores in scored for key in scores)):
        values = [scores.get(each.key) for scores in scored]
        known = [value for value in values if value is not None]
        best = None if each.lower is None else (min if each.lower else max)(known)
        best = None if len(set(known)) == 1 else best
        cells = [(measures.text(value, 4), value is not None and value == best) for value in values]
        found.append({"measure": each, "cells": cells})
    return found


def _sections(several: bool, datasets: Sequence[str]) -> list[tuple[str, str]]:
    found = [("runs", "Runs"), ("scores", "Scores"), ("training", "Training")]
    for dataset in datasets:
        anchor, suffix = (f"-{dataset}", f" ({dataset})") if several else ("", "")
        found += [
            (f"differences{anchor}", f"Differences{suffix}"),
            (f"segments{anchor}", f"Segments{suffix}"),
        ]
    return found


def _part(
    runs: Sequence[RunReport],
    dataset: str,
    drawn: dict[str, list[Chart]],
    several: bool,
    most: int,
) -> dict[str, Any]:
    names = comparison.names(runs)
    segments = comparison.part_of(runs[0], dataset).segments
    scores = comparison.paired(runs, dataset)
    # What a run did to the words is in its own report.
    plain = [s.model_copy(update={"shift": [], "shifts": {}, "heat": {}}) for s in segments]
    json, shown = rows.table(plain, scores.tolist(), most)
    anchor = f"-{dataset}" if several else ""
    found = comparison.differences([s.label for s in segments], scores)
    some = (
        f" {shown:,} of {len(segments):,} segments, to keep the file small: those with the largest "
        "errors, and evenly chosen others."
        if shown < len(segments)
        else ""
    )
    return {
        "anchor": anchor,
        "suffix": f", {dataset}" if several else "",
        "charts": drawn[f"differences {dataset}"],
        "differences": [
            {
                "name": name,
                "mean": measures.signed(each.mean),
                "span": _span(each),
                "better": f"{each.better:.0%}",
                "verdict": _verdict(each),
            }
            for name, each in zip(names[1:], found, strict=True)
            if each
        ],
        "count": f"{int(np.sum([s.label is not None for s in segments])):,}",
        "about": "Apart: between the largest and the smallest prediction of a segment." + some,
        "table": {
            "part": anchor,
            "runs": [_short(name) for name in names],
            "json": json,
            "sentiment": comparison.part_of(runs[0], dataset).is_sentiment,
        },
    }


def _verdict(found: comparison.Difference) -> str:
    if not found.clear:
        return "unclear"
    return "errs less" if found.mean < 0 else "errs more"
