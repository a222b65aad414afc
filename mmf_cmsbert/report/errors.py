"""Where the errors are: by label, by length, by the modalities that are there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mmf_cmsbert.config.schemas.targets import RegressionTarget
from mmf_cmsbert.report.agreement import classes
from mmf_cmsbert.report.answers import by_name
from mmf_cmsbert.report.chart import SENTIMENTS, Axis, Bars, Chart, axis
from mmf_cmsbert.report.collected import Part, ScoredSegment
from mmf_cmsbert.report.measures import modality_name
from mmf_cmsbert.utils.statistics import interval

_GROUPS = 6
_READING = "Lines: its 95% interval (Student's t); wide ones rest on few segments."


def errors(part: Part) -> list[Chart]:
    """The charts of a dataset; none without labels."""
    known = [s for s in part.segments if s.label is not None]
    if not known:
        return []
    by_label = _by_label(known, part) if part.is_sentiment else _by_truth(known, part)
    return [by_label, _by_length(known, part), _by_modality(known, part)]


def _by_label(segments: Sequence[ScoredSegment], part: Part) -> Chart:
    groups: list[list[ScoredSegment]] = [[] for _ in range(7)]
    for segment, found in zip(
        segments, classes(np.array([s.label for s in segments])), strict=True
    ):
        groups[found + 3].append(segment)
    names = [f"{i:+d}".replace("-", "\N{MINUS SIGN}") if i else "0" for i in range(-3, 4)]
    return _bars(
        "error_by_label", "Error by true sentiment", "true class", names, groups, SENTIMENTS, part
    )


def _by_truth(segments: Sequence[ScoredSegment], part: Part) -> Chart:
    """By class or label, or by parts of the range of a number."""
    if not isinstance(part.target, RegressionTarget):
        found = by_name(segments, part)
    else:
        edges = np.linspace(part.target.low, part.target.high, _GROUPS + 1)
        found = {f"{a:g} to {b:g}": [] for a, b in pairwise(edges)}
        for segment in segments:
            place = np.searchsorted(edges, segment.label or 0.0, side="right") - 1
            list(found.values())[min(max(int(place), 0), _GROUPS - 1)].append(segment)
    title, what = f"Error by true {part.name}", f"true {part.name}"
    return _bars("error_by_label", title, what, list(found), list(found.values()), ("main",), part)


def _by_length(segments: Sequence[ScoredSegment], part: Part) -> Chart:
    lengths = np.array([len(s.words) for s in segments])
    cuts = np.unique(np.quantile(lengths, np.linspace(0, 1, _GROUPS + 1)[1:-1]).astype(int))
    places = np.searchsorted(cuts, lengths, side="left")
    groups: list[list[ScoredSegment]] = [[] for _ in range(len(cuts) + 1)]
    for segment, place in zip(segments, places, strict=True):
        groups[place].append(segment)
    groups = [group for group in groups if group]
    names = []
    for group in groups:
        low, high = min(len(s.words) for s in group), max(len(s.words) for s in group)
        names.append(str(low) if low == high else f"{low}\N{EN DASH}{high}")
    return _bars("error_by_length", "Error by length", "words", names, groups, ("main",), part)


def _by_modality(segments: Sequence[ScoredSegment], part: Part) -> Chart:
    groups: dict[str, list[ScoredSegment]] = {}
    for segment in segments:
        name = " + ".join(modality_name(m) for m in ("text", *segment.modalities))
        groups.setdefault(name, []).append(segment)
    names = sorted(groups, key=lambda name: (name.count("+"), name))
    chart = _bars(
        "error_by_modality",
        "Error by the modalities that a segment has",
        "modalities",
        names,
        [groups[name] for name in names],
        ("main",),
        part,
    )
    return chart


def _bars(
    name: str,
    title: str,
    label: str,
    names: Sequence[str],
    groups: Sequence[Sequence[ScoredSegment]],
    colours: Sequence[str],
    part: Part,
) -> Chart:
    means: list[float] = []
    titles, spans = [], []
    for group, shown in zip(groups, names, strict=True):
        found = [abs(s.score - (s.label or 0.0)) for s in group]
        means.append(float(np.mean(found)) if found else math.nan)
        low, high = interval(found) if len(found) > 2 else (math.nan, math.nan)
        spans.append((max(0.0, low), high) if math.isfinite(low) else None)
        inside = f", 95% interval {max(0.0, low):.2f} to {high:.2f}" if spans[-1] else ""
        mean = f"{part.what_errs} {means[-1]:.3f}{inside}" if found else "none"
        titles.append(f"{shown}: {len(found)} segments, {mean}")
    # An interval of a handful of segments would flatten all bars.
    tallest = max((m for m in means if m == m), default=1.0)
    tops = [min(span[1], 2 * tallest) for span in spans if span]
    y = axis(part.what_errs, [*means, *tops], zero=True)
    spans = [span and (span[0], min(span[1], y.high)) for span in spans]
    places = [i + 0.5 for i in range(len(names))]
    ticks = [
        (place, f"{shown}\n{len(group)}")
        for place, shown, group in zip(places, names, groups, strict=True)
    ]
    return Chart(
        name=name,
        title=title,
        reading=f"Bars: {part.what_errs} (lower is better). {_READING} Below: number of segments.",
        x=Axis(label, 0, len(names), ticks),
        y=y,
        marks=[Bars(places, means, min(0.7, 0.18 * len(names)), colours, titles, spans)],
        height=260,
    )
