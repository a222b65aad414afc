"""Labels of targets from the values of files: names of classes, lists of names, numbers."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mmf_cmsbert.config.schemas.targets import (
    ClassesTarget,
    MultilabelTarget,
    RegressionTarget,
    Target,
    main,
)
from mmf_cmsbert.datasets.readers.streams import Stream
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError

_BETWEEN_NAMES = re.compile(r"[,;|]")


def values_of(value: Any, name: str, target: Target, where: str) -> tuple[float, ...] | None:
    """Return the label of a target from a value in a file, None if it is unknown.

    Args:
        value: a number, also as text; the name of a class; of several labels, a number for each,
            or the names of those that a segment has, as a list or separated by commas. None, NaN
            and empty text are unknown labels.
        name: the target's name, for messages.
        target: the target.
        where: the segment's location, for messages.

    Returns:
        One number, the index of a class, or a number for each label. Whether numbers are within
        limits is checked later.

    Raises:
        SegmentError: the value is no label of this target.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)) and len(value) == 1 and target.outputs != 1:
        value = value[0] if not isinstance(target, MultilabelTarget) else value
    if value is None or (isinstance(value, str) and not value.strip()) or _is_nan(value):
        return None
    if isinstance(target, MultilabelTarget):
        found = _several(value, target)
    elif isinstance(target, RegressionTarget):
        found = _number(value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value)
    else:
        found = _class(value, target)
    if found is None:
        shown = repr(value[:60]) if isinstance(value, str) else describe(value)
        raise SegmentError(
            f"{where}: {name} is {shown}; expected {target.expected()}"
            + (", as a list or separated by commas" * isinstance(target, MultilabelTarget))
        )
    return found


def with_targets(segments: Stream, targets: Mapping[str, Target], where: str) -> Iterator[Any]:
    """Yield the segments of a split with the labels of its targets, see :func:`arranged`.

    Args:
        segments: a split.
        targets: its targets, the main one first.
        where: the split's files, for messages.
    """
    for segment in segments:
        if isinstance(segment, Segment):
            try:
                segment = arranged(segment, targets, where)
            except SegmentError as error:
                segment = error
        yield segment


def arranged(segment: Segment, targets: Mapping[str, Target], where: str = "") -> Segment:
    """Return the segment with the label of the main target, and those of further targets.

    The label of a target is what the layout gives under its name, in ``targets`` or ``metadata``;
    or, of several labels, under the names of all of them. Without it, ``label`` stays that of the
    main target. Other labels are dropped, and what is a label is no metadata any more.

    Args:
        segment: as read from a file.
        targets: name -> target, the main one first.
        where: the split's files, for messages.

    Raises:
        SegmentError: a value is no label of its target.
    """
    given = {**segment.metadata, **segment.targets}
    fields = {plain_name(name): name for name in given}
    found: dict[str, tuple[float, ...]] = {}
    used: set[str] = set()
    for name, target in targets.items():
        names = [name]
        if plain_name(name) not in fields and isinstance(target, MultilabelTarget):
            names = target.names
        if not all(plain_name(each) in fields for each in names):
            continue
        keys = [fields[plain_name(each)] for each in names]
        values = [_single(given[key]) for key in keys]
        place = f"{where}: segment {segment.id}"
        known = values_of(values if len(names) > 1 else values[0], name, target, place)
        used.update(keys)
        if known is not None:
            found[name] = known
    label, (first, main_target) = segment.label, main(targets)
    if isinstance(main_target, MultilabelTarget):
        label = None
    elif first in found:
        (label,) = found.pop(first)
        label = None if math.isnan(label) else label
    elif first in map(plain_name, used):
        label = None
    if not used and found == dict(segment.targets) and label == segment.label:
        return segment
    metadata = {name: value for name, value in segment.metadata.items() if name not in used}
    return replace(segment, label=label, targets=found, metadata=metadata)


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def _class(value: Any, target: ClassesTarget) -> tuple[float, ...] | None:
    if isinstance(value, str):
        names = [name.casefold() for name in target.names]
        if value.strip().casefold() in names:
            return (float(names.index(value.strip().casefold())),)
    return _number(value)


def _several(value: Any, target: MultilabelTarget) -> tuple[float, ...] | None:
    if isinstance(value, Mapping):
        value = [value.get(name) for name in target.names]
    if isinstance(value, str):
        value = [each.strip() for each in _BETWEEN_NAMES.split(value) if each.strip()]
    if not isinstance(value, (list, tuple)):
        return None
    names = {name.casefold() for name in target.names}
    if all(isinstance(each, str) for each in value) and not all(map(_number, value)):
        given = {each.strip().casefold() for each in value}
        return tuple(float(n.casefold() in given) for n in target.names) if given <= names else None
    if len(value) != len(target.names):
        return (0.0,) * len(target.names) if not value else None
    numbers = [(math.nan,) if each is None else _number(each) for each in value]
    return None if None in numbers else tuple(each[0] for each in numbers if each is not None)


def _number(value: Any) -> tuple[float, ...] | None:
    if not isinstance(value, (str, bool, int, float, np.number)):
        return None
    try:
        return (float(value),)
    except (ValueError, OverflowError):
        return None


def _is_nan(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def plain_name(name: Any) -> str:
    """Return a name without differences of case, spaces and hyphens."""
    return str(name).strip().casefold().replace("-", "_").replace(" ", "_")


def named_values(**values: float | None) -> dict[str, tuple[float, ...]]:
    """Return single labels as targets, those that are known."""
    return {name: (float(value),) for name, value in values.items() if value is not None}
