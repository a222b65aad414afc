"""What a new dataset's definition needs to know, found by reading its segments once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from mmf_cmsbert.config.schemas.targets import RegressionTarget
from mmf_cmsbert.datasets.readers.layout import Request
from mmf_cmsbert.datasets.readers.names import field_named
from mmf_cmsbert.datasets.readers.reading import by_layout
from mmf_cmsbert.datasets.readers.source import Source
from mmf_cmsbert.datasets.readers.tables import SUFFIXES, table_rows
from mmf_cmsbert.datasets.segment import Segment, in_order
from mmf_cmsbert.errors import DataError, SegmentError

# Under this name layouts keep the label as the file has it.
_RAW = "label_as_written"
_LOOKED_AT, _SPOKEN_WORDS = 200, 3
# More different whole numbers than this are not classes.
_MOST_CLASSES = 20


@dataclass
class Proposal:
    """A dataset's content.

    Attributes:
        layouts: the layouts of its files.
        columns: field -> column, where the name is not a usual one.
        segments: split -> number of segments.
        videos: number of videos.
        widths: modality -> columns of its frames.
        missing: modality -> number of segments without it.
        longest: the most words of a segment.
        labels: the different labels -> number of segments; None for an unknown one.
        errors: messages for segments that cannot be used.
        named_splits: whether the data names splits.
    """

    layouts: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    segments: Counter[str] = field(default_factory=Counter)
    videos: int = 0
    widths: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    longest: int = 0
    labels: Counter[Any] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    named_splits: bool = True


def propose(source: Source, layout: str, columns: Mapping[str, str]) -> Proposal:
    """Read a source once.

    Args:
        source: its files.
        layout: the layout of all files, or ``auto``.
        columns: field -> column, as the user names them.

    Raises:
        DataError: nothing can be read; the message names the columns found.
    """
    files = next(iter(source.files.values()))
    found = Proposal(source.layouts if layout == "auto" else (layout,), dict(columns))
    found.named_splits = not source.unnamed
    if "folder" in found.layouts:
        found.columns |= _guessed(files[0], columns)
    videos: set[str] = set()
    present: Counter[str] = Counter()
    for split, segment in _segments(source, layout, found.columns):
        if isinstance(segment, SegmentError):
            found.errors.append(str(segment))
            continue
        found.segments[split] += 1
        videos.add(segment.video)
        found.longest = max(found.longest, len(segment.words))
        found.labels[_label(segment)] += 1
        for modality, frames in segment.frames.items():
            found.widths.setdefault(modality, frames.shape[1])
            present[modality] += 1
    if not found.segments:
        raise DataError(
            f"{', '.join(map(str, files))}: no segment can be read. The first error: "
            f"{(found.errors or ['the files are empty'])[0]}. {_columns(files[0])}"
        )
    found.videos = len(videos)
    found.widths = {modality: found.widths[modality] for modality in in_order(found.widths)}
    total = found.segments.total()
    found.missing = {modality: total - present[modality] for modality in found.widths}
    return found


def target_of(labels: Mapping[Any, int]) -> dict[str, Any] | None:
    """Return a definition of the target with these labels, None without labels."""
    known = [label for label in labels if label is not None]
    if not known:
        return None
    if all(isinstance(label, tuple) for label in known):
        names = sorted({name for label in known for name in label})
        return {"kind": "multilabel", "names": names}
    if all(isinstance(label, bool) for label in known):
        return {"kind": "classes", "names": ["no", "yes"]}
    numbers = [_number(label) for label in known]
    if any(number is None for number in numbers):
        return {"kind": "classes", "names": sorted(map(str, known))}
    values = sorted(number for number in numbers if number is not None)
    low, high = values[0], values[-1]
    if values == list(range(int(high) + 1)) and 1 < len(values) <= _MOST_CLASSES:
        names = ["no", "yes"] if high == 1 else [f"class {int(value)}" for value in values]
        return {"kind": "classes", "names": names}
    for limit in (1.0, 3.0):
        if -limit <= low < 0 and high <= limit:
            return {"kind": "regression", "low": -limit, "high": limit}
    return {"kind": "regression", "low": float(low), "high": float(high) + (low == high)}


def _segments(
    source: Source, layout: str, columns: Mapping[str, str]
) -> Iterator[tuple[str, Segment | SegmentError]]:
    for split, files in source.files.items():
        request = Request(split, None, columns=columns, targets={_RAW: RegressionTarget()})
        for each, own in by_layout(files, layout):
            for segment in each.segments(own, request):
                yield split, segment


def _label(segment: Segment) -> Any:
    value = segment.metadata.get(_RAW, segment.label)
    if isinstance(value, list):
        return tuple(map(str, value))
    return value


def _number(label: Any) -> float | None:
    try:
        return float(label)
    except (TypeError, ValueError):
        return None


def _guessed(path: Path, named: Mapping[str, str]) -> dict[str, str]:
    """Find the columns of text and label in a list by their content, if it is clear."""
    rows = _first_rows(path)
    fields = {field_named(name) for row in rows for name in row} | set(named)
    others: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            if field_named(name) is None and name not in named.values():
                others.setdefault(name, []).append(value)
    found = {}
    texts = [name for name, values in others.items() if _are_texts(values)]
    if not fields & {"text", "words"} and len(texts) == 1:
        found["text"] = texts[0]
    flags = [n for n, values in others.items() if all(isinstance(v, bool) for v in values)]
    if "label" not in fields and len(flags) == 1:
        found["label"] = flags[0]
    return found


def _are_texts(values: Sequence[Any]) -> bool:
    if not all(isinstance(value, str) for value in values):
        return False
    return sum(len(value.split()) for value in values) >= _SPOKEN_WORDS * len(values)


def _first_rows(path: Path) -> list[Mapping[str, Any]]:
    lists = [path] if path.is_file() else [path / f"segments{suffix}" for suffix in SUFFIXES]
    for file in lists:
        if file.is_file():
            rows = islice(table_rows(file), _LOOKED_AT)
            return [row for _, row in rows if not isinstance(row, SegmentError)]
    return []


def _columns(path: Path) -> str:
    try:
        names = list(dict.fromkeys(name for row in _first_rows(path) for name in row))
    except DataError:
        names = []
    if not names:
        return "cmsbert data inspect shows what the files hold"
    return (
        f"Its columns are {', '.join(names)}; name those of text and label, as in --column "
        "text=NAME --column label=NAME"
    )
