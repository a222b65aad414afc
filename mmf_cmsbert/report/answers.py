"""Charts of targets that are no sentiment in [-3, 3]: classes, labels, numbers of other ranges."""

from __future__ import annotations

from collections.abc import Sequence

from mmf_cmsbert.report.chart import Axis, Cells, Chart
from mmf_cmsbert.report.collected import Part, ScoredSegment

_BETWEEN = ", "


def of_classes(part: Part) -> list[Chart]:
    """The confusion of classes, as a table of true and predicted ones; empty without labels."""
    names = part.target.names
    known = [s for s in part.segments if s.truth is not None]
    if not known:
        return []
    counts = [
        [sum(s.truth == true and s.answer == found for s in known) for found in names]
        for true in names
    ]
    right = sum(counts[i][i] for i in range(len(names))) / len(known)
    return [
        _cells(
            "confusion_classes",
            f"Confusion, {len(names)} classes",
            "Rows: true class, columns: predicted class. Numbers are segments, colours their share "
            f"of the row. {right:.1%} are on the diagonal.",
            counts,
            ("true class", names),
            ("predicted class", names),
        )
    ]


def of_labels(part: Part) -> list[Chart]:
    """Right and wrong answers for each label; empty without known labels."""
    names = part.target.names
    known = [s for s in part.segments if s.truth is not None]
    if not known:
        return []
    columns = ["found", "missed", "invented", "rightly absent"]
    counts = [[0] * len(columns) for _ in names]
    for segment in known:
        true, found = _names(segment.truth), _names(segment.answer)
        for row, name in zip(counts, names, strict=True):
            row[(0 if name in found else 1) if name in true else (2 if name in found else 3)] += 1
    return [
        _cells(
            "answers_labels",
            f"Answers, {len(names)} labels",
            "A row for each label: segments that have it, found and missed; segments that do not "
            "have it, wrongly given it (invented) and rightly not. Colours: share of the row.",
            counts,
            ("label", names),
            ("answer", columns),
        )
    ]


def by_name(segments: Sequence[ScoredSegment], part: Part) -> dict[str, list[ScoredSegment]]:
    """Return the segments of each class, or of each label that they have; with a known truth."""
    found: dict[str, list[ScoredSegment]] = {name: [] for name in part.target.names}
    for segment in segments:
        for name in _names(segment.truth):
            found[name].append(segment)
    return found


def _names(text: str | None) -> list[str]:
    return [name for name in (text or "").split(_BETWEEN) if name]


def _cells(
    name: str,
    title: str,
    reading: str,
    counts: Sequence[Sequence[int]],
    rows: tuple[str, Sequence[str]],
    columns: tuple[str, Sequence[str]],
) -> Chart:
    sums = [max(1, sum(row)) for row in counts]
    shares = [[count / total for count in row] for row, total in zip(counts, sums, strict=True)]
    titles = [
        [
            f"{rows[0]} {shown}, {columns[0]} {other}: {count} of {sum(row)} ({count / total:.0%})"
            for other, count in zip(columns[1], row, strict=True)
        ]
        for shown, row, total in zip(rows[1], counts, sums, strict=True)
    ]
    across = [(i + 0.5, text) for i, text in enumerate(columns[1])]
    down = [(i + 0.5, text) for i, text in enumerate(reversed(rows[1]))]
    return Chart(
        name=name,
        title=title,
        reading=reading,
        x=Axis(columns[0], 0, len(across), across),
        y=Axis(rows[0], 0, len(down), down),
        marks=[Cells(shares, [[str(count) for count in row] for row in counts], titles)],
        height=max(240, 40 * len(down) + 80),
    )
