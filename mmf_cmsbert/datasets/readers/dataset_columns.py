"""Which column of a Hugging Face dataset holds which field of a segment: by name, then by type."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mmf_cmsbert.datasets.readers.names import FIELD_NAMES, field_named, modality_named
from mmf_cmsbert.errors import DataError

FIELDS = ("id", "video", "clip", "text", "words", "label", "start", "end")
# Columns of datasets' types that hold sound or pictures, from which features must be extracted.
_MEDIA = ("Audio", "Video", "Image")
# Modality -> the types that it can be extracted from, the usual one first.
_OF = {"acoustic": ("Audio", "Video"), "visual": ("Video",)}
_HOLDS = {"Audio": "sound", "Video": "clips"}
_WHOLE_OR_REAL = ("float", "int", "uint", "decimal", "double")


@dataclass(frozen=True)
class Columns:
    """The columns of a dataset.

    Attributes:
        of: field -> column.
        classes: names of the classes if the label is a ``ClassLabel``, else empty.
        metadata: the other columns with one value a row.
        media: the columns with sound or pictures that are not read.
        extracted: the modalities whose column has sound or clips, from which frames must be
            extracted.
    """

    of: Mapping[str, str]
    classes: tuple[str, ...]
    metadata: tuple[str, ...]
    media: tuple[str, ...]
    extracted: tuple[str, ...] = ()


def find_columns(
    features: Mapping[str, Any],
    named: Mapping[str, str],
    where: str,
    key: str,
    extracted: Collection[str] = (),
    of_targets: Mapping[str, str] | None = None,
    modalities: Collection[str] | None = None,
) -> Columns:
    """Find the fields of a segment among the columns of a dataset.

    A field's column is the one that ``named`` gives, else the one with a usual name of the field
    (``text``, ``label``, ``vision``, ...). The text may also be the only column of strings, or of
    lists of strings, and the label the only column of numbers with a fraction, or of classes.

    Args:
        features: column -> type of the library ``datasets``.
        named: field -> column, as the user names them.
        where: the dataset, for messages.
        key: the configuration section in which the user names columns, for messages.
        extracted: modalities whose column can be one of sound (acoustic) or of clips.
        of_targets: columns with labels of targets -> their names, which are no other fields.
        modalities: the modalities to look for; None for each column of frames that is named as a
            modality can be.

    Raises:
        DataError: a named column does not exist, two columns could be the same field, or no column
            has text.
    """
    of_targets = of_targets or {}
    for name, column in named.items():
        if column not in features:
            raise DataError(
                f"{where}: {key}.{name} is {column!r}, which is no column; {_listed(features)}"
            )
        known = name in FIELDS or column in of_targets or _is_media(features[column], name)
        if not known and not is_frames(features[column]):
            raise DataError(
                f"{where}: {key}.{name} is {column!r}, a column of {_shown(features[column])}; "
                f"expected lists of numbers as frames of {name}, or one of the fields "
                f"{', '.join(FIELDS)}. {_listed(features)}"
            )
    features = {name: kind for name, kind in features.items() if name not in of_targets}
    named = {name: column for name, column in named.items() if column in features}
    found = dict(named)
    for modality in extracted:
        _add_media(found, modality, features, where, key)
    left = [each for each in features if each not in found.values()]
    media = tuple(each for each in left if _kind(features[each]) in _MEDIA)
    left = [each for each in left if each not in media]
    for column in left:
        field = _field_of(column, features[column], modalities)
        if field is None or field in named:
            continue
        if field in found:
            raise DataError(
                f"{where}: the columns {found[field]!r} and {column!r} both give the {field}; "
                f"choose one with {key}.{field}=NAME. {_listed(features)}"
            )
        found[field] = column
    left = [each for each in left if each not in found.values()]
    _add_text(found, features, left, where, key)
    if not of_targets:
        _add_label(found, features, left, where, key)
    label = features.get(found.get("label", ""))
    left = [each for each in left if each not in found.values()]
    return Columns(
        found,
        tuple(getattr(label, "names", ())),
        tuple(each for each in left if _is_single(features[each])),
        media,
        tuple(each for each in _OF if _is_media(features.get(found.get(each, "")), each)),
    )


def _field_of(column: str, kind: Any, modalities: Collection[str] | None) -> str | None:
    """The field that a column's usual name gives; text and words are told apart by their type."""
    field = field_named(column)
    if field in ("text", "words"):
        return "words" if _is_list_of_strings(kind) else "text" if _is_string(kind) else None
    if field in FIELDS:
        return field
    modality = modality_named(column)
    if modalities is None:
        # A flat list may be anything, unless it is named visual or acoustic.
        return modality if is_frames(kind) and (field or _is_nested(kind)) else None
    return modality if modality in modalities and is_frames(kind) else None


def _add_text(
    found: dict[str, str], features: Mapping[str, Any], left: Iterable[str], where: str, key: str
) -> None:
    if "words" in found:
        found.pop("text", None)  # the same words, not yet cut
        return
    if "text" in found:
        return
    strings = [each for each in left if _is_string(features[each])]
    lists = [each for each in left if _is_list_of_strings(features[each])]
    for field, candidates in (("words", lists), ("text", strings)):
        if len(candidates) == 1:
            found[field] = candidates[0]
            return
    candidates = [*lists, *strings]
    what = f"several could be: {', '.join(candidates)}" if candidates else "no column has text"
    raise DataError(
        f"{where}: no column is named {', '.join(FIELD_NAMES['text'])} or words, and {what}; name "
        f"the column with {key}.text=NAME or {key}.words=NAME. {_listed(features)}"
    )


def _add_label(
    found: dict[str, str], features: Mapping[str, Any], left: Iterable[str], where: str, key: str
) -> None:
    if "label" in found:
        return
    candidates = [
        each
        for each in left
        if _kind(features[each]) == "ClassLabel" or _type(features[each]).startswith("float")
    ]
    if len(candidates) > 1:
        raise DataError(
            f"{where}: no column is named {', '.join(FIELD_NAMES['label'])}, and several could be "
            f"the label: {', '.join(candidates)}; choose one with {key}.label=NAME. "
            f"{_listed(features)}"
        )
    if candidates:
        found["label"] = candidates[0]


def _add_media(
    found: dict[str, str], modality: str, features: Mapping[str, Any], where: str, key: str
) -> None:
    """Find the column that a modality is extracted from."""
    if modality in found:
        return
    for kind in _OF[modality]:
        columns = [each for each, type_ in features.items() if _kind(type_) == kind]
        if len(columns) > 1:
            raise DataError(
                f"{where}: several columns have {_HOLDS[kind]}: {', '.join(columns)}; choose one "
                f"with {key}.{modality}=NAME"
            )
        if columns:
            found[modality] = columns[0]
            return
    kinds = " or ".join(f"{_HOLDS[kind]} (type {kind})" for kind in _OF[modality])
    raise DataError(
        f"{where}: no column has {kinds}, from which {modality} frames could be extracted. "
        f"{_listed(features)}"
    )


def _is_media(kind: Any, modality: str) -> bool:
    return _kind(kind) in _OF.get(modality, ())


def is_frames(kind: Any) -> bool:
    """Whether a column holds lists of numbers, flat or nested, or two-dimensional arrays."""
    return _is_nested(kind) or _is_number(_inner(kind))


def _is_nested(kind: Any) -> bool:
    return _kind(kind) == "Array2D" or _is_number(_inner(_inner(kind)))


def _listed(features: Mapping[str, Any]) -> str:
    shown = ", ".join(f"{name} ({_shown(kind)})" for name, kind in features.items())
    return f"The columns are: {shown}"


def _shown(kind: Any) -> str:
    if _kind(kind) == "Value":
        return _type(kind)
    if (inner := _inner(kind)) is not None:
        return f"list of {_shown(inner)}"
    return _kind(kind)


def _inner(kind: Any) -> Any:
    """The type of a list's items; None for anything but a list."""
    return getattr(kind, "feature", None) if _kind(kind) in ("List", "LargeList") else None


def _kind(kind: Any) -> str:
    return type(kind).__name__


def _type(kind: Any) -> str:
    return str(getattr(kind, "dtype", "")) if _kind(kind) == "Value" else ""


def _is_string(kind: Any) -> bool:
    return _type(kind) in ("string", "large_string", "string_view")


def _is_number(kind: Any) -> bool:
    return _type(kind).startswith(_WHOLE_OR_REAL)


def _is_list_of_strings(kind: Any) -> bool:
    return _is_string(_inner(kind))


def _is_single(kind: Any) -> bool:
    return _kind(kind) == "Value" and (
        _is_string(kind) or _is_number(kind) or _type(kind) == "bool"
    )
