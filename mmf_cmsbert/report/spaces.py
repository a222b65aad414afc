"""Charts of the modalities' vectors, before and after the alignment."""

from __future__ import annotations

import numpy as np

from mmf_cmsbert.report.agreement import classes, excerpt
from mmf_cmsbert.report.chart import SENTIMENTS, Chart, Points, axis
from mmf_cmsbert.report.collected import Part
from mmf_cmsbert.report.measures import modality_colours, modality_name

_NAMES = ["\N{MINUS SIGN}3", "\N{MINUS SIGN}2", "\N{MINUS SIGN}1", "0", "+1", "+2", "+3"]


def spaces(part: Part) -> list[Chart]:
    """A chart of each modality before the projections, and one of all of them after."""
    if part.embeddings is None:
        return []
    return [*(_before(part, name) for name in part.embeddings.before), _after(part)]


def _before(part: Part, modality: str) -> Chart:
    found = part.embeddings
    assert found is not None
    pairs = zip(found.segments, found.before[modality], strict=True)
    shown = [(i, point) for i, point in pairs if point is not None]
    labels = [part.segments[i].label for i, _ in shown]
    colours = ["muted" for _ in labels]
    if part.is_sentiment:
        colours = [
            "muted" if label is None else SENTIMENTS[int(classes(np.array(label))) + 3]
            for label in labels
        ]
    share = found.explained[modality]
    return Chart(
        name=f"before_{modality}",
        title=f"Before alignment: {modality_name(modality)}",
        reading=f"The pooled {modality_name(modality)} state of each segment before its projection "
        f"head, on the two main axes of its own space (PCA, {share:.0%} of the variance). "
        + "Colours: true sentiment."
        * part.is_sentiment,
        x=axis("first axis", [p[0] for _, p in shown], count=4),
        y=axis("second axis", [p[1] for _, p in shown], count=4),
        marks=[
            Points(
                [p[0] for _, p in shown],
                [p[1] for _, p in shown],
                colours or ["muted"],
                [f"{part.segments[i].id}: {excerpt(part.segments[i])}" for i, _ in shown],
                [i for i, _ in shown],
                opacity=0.8,
            )
        ],
        legend=list(zip(_NAMES, SENTIMENTS, strict=True)) if part.is_sentiment else [],
        height=300,
    )


def _after(part: Part) -> Chart:
    found = part.embeddings
    assert found is not None
    marks, xs, ys = [], [], []
    colours = modality_colours(found.after)
    for name, points in found.after.items():
        pairs = zip(found.segments, points, strict=True)
        shown = [(i, point) for i, point in pairs if point is not None]
        xs += [p[0] for _, p in shown]
        ys += [p[1] for _, p in shown]
        marks.append(
            Points(
                [p[0] for _, p in shown],
                [p[1] for _, p in shown],
                [colours[name]],
                [
                    f"{modality_name(name)} of {part.segments[i].id}: {excerpt(part.segments[i])}"
                    for i, _ in shown
                ],
                [i for i, _ in shown],
                opacity=0.55,
            )
        )
    return Chart(
        name="after",
        title="After alignment: all modalities",
        reading="The embeddings of all modalities in the common space of the contrastive loss, on "
        f"its two main axes (one PCA, {found.explained['after']:.0%} of the variance). Modalities "
        "that share regions are aligned; the table says how well.",
        x=axis("first axis", xs, count=4),
        y=axis("second axis", ys, count=4),
        marks=marks,
        legend=[(modality_name(name), colours[name]) for name in found.after],
        height=300,
    )
