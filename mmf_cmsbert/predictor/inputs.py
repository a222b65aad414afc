"""Convert the inputs of a predictor to segments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mmf_cmsbert.config.schemas.targets import Target, main
from mmf_cmsbert.datasets.readers import dataset_objects
from mmf_cmsbert.datasets.readers.fields import frame_array, without_blank_words
from mmf_cmsbert.datasets.readers.names import field_named, fields_of
from mmf_cmsbert.datasets.readers.target_values import arranged
from mmf_cmsbert.datasets.readers.text import describe, split_text, word_list
from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment
from mmf_cmsbert.errors import ConfigError, SegmentError

_FIELDS = ("id", "text", "words", "label", "start", "end", "video", *FACE_VOICE)


def is_one(inputs: object) -> bool:
    """Return whether an input is a single segment.

    Raises:
        ConfigError: it is a dataset with several splits.
    """
    if isinstance(inputs, Mapping) and dataset_objects.is_splits(inputs):
        raise ConfigError(
            f"the dataset has the splits {', '.join(inputs)}; expected one of them, as in "
            f"predictor(dataset[{list(inputs)[-1]!r}])"
        )
    return isinstance(inputs, (str, Segment, Mapping))


def segments(
    inputs: Iterable[Any],
    modalities: Collection[str] = FACE_VOICE,
    targets: Mapping[str, Target] | None = None,
) -> Iterator[Segment | SegmentError]:
    """Yield a segment for each item, or the error of an invalid item.

    Args:
        inputs: texts, mappings of fields, segments; a store; a ``datasets.Dataset``; a data frame.
        modalities: the modalities whose frames are used.
        targets: what labels are of, see :func:`as_segment`.
    """
    for number, item in enumerate(_rows(inputs)):
        if isinstance(item, SegmentError):
            yield item
            continue
        try:
            yield as_segment(item, number, modalities, targets)
        except SegmentError as error:
            yield error


def _rows(inputs: Any) -> Iterable[Any]:
    if hasattr(inputs, "iloc") and hasattr(inputs, "columns"):
        # A data frame of pandas, whose iteration gives column names. Empty cells become None.
        rows: Iterable[Any] = inputs.astype(object).where(inputs.notna(), None).to_dict("records")
        return rows
    return dataset_objects.without_classes(inputs) if dataset_objects.is_rows(inputs) else inputs


def as_segment(
    item: Any,
    number: int = 0,
    modalities: Collection[str] = FACE_VOICE,
    targets: Mapping[str, Target] | None = None,
) -> Segment:
    """Convert a text or a mapping of fields to a segment; a segment is returned unchanged.

    >>> as_segment("a very good film").words
    ('a', 'very', 'good', 'film')
    >>> given = {"text": "good", "acoustic": [[0.1, 0.2], [0.3, 0.4]]}
    >>> as_segment(given).frames["acoustic"].shape
    (2, 2)

    Args:
        item: a mapping has ``text`` or ``words``, and may have ``id``, ``label``, ``start`` and
            ``end`` in seconds, and frames as arrays ``(frames, width)`` under the names of their
            modalities (one frame may be ``(width,)``). The names are those of the file layouts,
            with the same synonyms.
        number: the item's position, used as its id if it has none.
        modalities: the modalities whose frames are used.
        targets: what labels are of: ``label`` of the first target, and fields named as the others.
            None: ``label`` is a number.

    Raises:
        SegmentError: it has no words, or a field is invalid.
    """
    if isinstance(item, Segment):
        return item if targets is None else arranged(item, targets, "input")
    where = f"input {number}"
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, Mapping):
        raise SegmentError(
            f"{where}: expected a text, a segment, or a mapping such as {{'text': 'a good film'}}, "
            f"found {describe(item)}"
        )
    fields = fields_of(item, where, _FIELDS, _same)
    name = str(fields.get("id", number))
    where = f"{where} ({name})"
    values = {m: fields.get(m) if m in FACE_VOICE else item.get(m) for m in modalities}
    frames = {m: _frames(value, m, where) for m, value in values.items()}
    segment = Segment(
        id=name,
        video=str(fields.get("video", name)),
        words=_words(fields, item, where),
        label=None if targets else _number(fields.get("label"), f"{where}: label"),
        start=_number(fields.get("start"), f"{where}: start"),
        end=_number(fields.get("end"), f"{where}: end"),
        frames={m: each for m, each in frames.items() if each is not None},
    )
    segment = without_blank_words(segment, where)
    if targets is None:
        return segment
    label = fields.get("label")
    given = {} if label is None else {main(targets)[0]: label}
    given |= {
        name: value
        for name, value in item.items()
        if field_named(name) not in _FIELDS and name not in modalities
    }
    return replace(arranged(replace(segment, metadata=given), targets, where), metadata={})


def _words(fields: Mapping[str, Any], item: Mapping[str, Any], where: str) -> tuple[str, ...]:
    if "words" in fields and not isinstance(fields["words"], str):
        return tuple(word_list(fields["words"], where))
    if "text" not in fields:
        found = ", ".join(map(str, item)) or "nothing"
        raise SegmentError(f"{where}: expected its 'text' or its 'words', found {found[:200]}")
    return tuple(split_text(fields["text"], where))


def _frames(value: Any, modality: str, where: str) -> np.ndarray | None:
    if value is None or (isinstance(value, float) and np.isnan(value)):  # an empty cell
        return None
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    if not isinstance(value, np.ndarray):
        try:
            value = np.asarray(value)
        except ValueError:  # frames of different widths, which the reader reports
            return frame_array(value, modality, where)
    if value.ndim == 1 and value.dtype.kind in "biuf":
        value = value[None]
    return frame_array(value, modality, where)


def _number(value: Any, where: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise SegmentError(f"{where} is {describe(value)}; expected a number") from None
    return None if np.isnan(number) else number


def _same(one: Any, other: Any) -> bool:
    return bool(np.array_equal(one, other))
