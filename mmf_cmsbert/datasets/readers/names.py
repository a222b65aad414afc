"""Synonyms of splits and fields in published files: one table for all layouts.

Case is ignored. Spaces and hyphens count as underscores.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from mmf_cmsbert.config.schemas.values import can_be_modality
from mmf_cmsbert.datasets.segment import FACE_VOICE, SPLITS
from mmf_cmsbert.errors import DataError

SPLIT_NAMES: Mapping[str, tuple[str, ...]] = {
    "train": ("train",),
    "val": ("val", "dev", "valid", "validation"),
    "test": ("test",),
}
FIELD_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "ids", "segment_id"),
    "video": ("video", "video_id"),
    "clip": ("clip", "clip_id"),
    "text": ("text", "raw_text", "transcript"),
    "words": ("words",),
    "label": ("label", "labels", "regression_label", "regression_labels"),
    # Of one modality alone, in CH-SIMS.
    "sentiment_text": ("sentiment_text", "label_t", "regression_labels_t"),
    "sentiment_acoustic": ("sentiment_acoustic", "label_a", "regression_labels_a"),
    "sentiment_visual": ("sentiment_visual", "label_v", "regression_labels_v"),
    "split": ("split", "mode"),
    "start": ("start", "start_s", "start_time"),
    "end": ("end", "end_s", "end_time"),
    "visual": ("visual", "vision"),
    "acoustic": ("acoustic", "audio"),
    "visual_lengths": ("visual_lengths", "vision_lengths"),
    "acoustic_lengths": ("acoustic_lengths", "audio_lengths"),
    "text_bert": ("text_bert",),
}

_SPLITS: dict[str | None, str] = {
    name: split for split, names in SPLIT_NAMES.items() for name in names
}
_FIELDS: dict[str | None, str] = {
    name: field for field, names in FIELD_NAMES.items() for name in names
}


def split_named(name: Any) -> str | None:
    """Return the split of which ``name`` is a synonym, else None."""
    return _SPLITS.get(_plain(name))


def split_in(name: str) -> str | None:
    """Return the split that a word in a file's or folder's name gives, as in ``misa_dev``.

    Returns:
        The split; None if no word gives one, or two words give different ones.
    """
    found = {_SPLITS[word] for word in re.split(r"[^a-z]+", name.lower()) if word in _SPLITS}
    return found.pop() if len(found) == 1 else None


def field_named(name: Any) -> str | None:
    """Return the field of :data:`FIELD_NAMES` of which ``name`` is a synonym, else None."""
    return _FIELDS.get(_plain(name))


def modality_named(name: Any) -> str | None:
    """Return the modality that a column or folder of this name can hold.

    Returns:
        Visual or acoustic for their synonyms, else the name itself; None for a name of another
        field, or one that a modality cannot have.
    """
    field = field_named(name)
    if field is not None:
        return field if field in FACE_VOICE else None
    return name if isinstance(name, str) and can_be_modality(name) else None


def known_splits() -> str:
    """Return all synonyms of splits, for messages: ``train; val, dev, ...; test``."""
    return "; ".join(", ".join(SPLIT_NAMES[split]) for split in SPLITS)


def split_keys(content: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Map each split in ``content`` to its key there.

    Raises:
        DataError: two keys name the same split, with different objects.
    """
    found: dict[str, Any] = {}
    for key, value in content.items():
        split = split_named(key)
        if split is None:
            continue
        first = found.setdefault(split, key)
        if content[first] is not value:
            raise DataError(
                f"{where}: {first!r} and {key!r} both name the {split} split; keep one of them"
            )
    return found


def fields_of(
    row: Mapping[str, Any], where: str, wanted: Collection[str], same: Callable[[Any, Any], bool]
) -> dict[str, Any]:
    """Map each field to its value in ``row``, without None values.

    Args:
        row: names in the file -> values.
        where: the row's location, for messages.
        wanted: the fields to return.
        same: returns whether two values of one field agree.

    Raises:
        DataError: two synonyms of one field have different values.
    """
    found: dict[str, Any] = {}
    names: dict[str, Any] = {}
    for name, value in row.items():
        field = field_named(name)
        if field is None or field not in wanted or value is None:
            continue
        if field in found and not same(found[field], value):
            raise DataError(
                f"{where}: {names[field]!r} and {name!r} both give the {field}, and they disagree; "
                "remove or rename one of them"
            )
        found.setdefault(field, value)
        names.setdefault(field, name)
    return found


def name_used(names: Iterable[Any], field: str) -> Any:
    """Return the first of ``names`` that is a synonym of ``field``, or ``field`` itself."""
    return next((name for name in names if field_named(name) == field), field)


def _plain(name: Any) -> str | None:
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    return (
        name.strip().lower().replace("-", "_").replace(" ", "_") if isinstance(name, str) else None
    )
