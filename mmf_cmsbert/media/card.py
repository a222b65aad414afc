"""The card of extracted features: which extractors made them, so that others are not mixed in.

It maps ``visual`` and ``acoustic`` to the card of their extractor or None, and ``recogniser`` to
that of the recogniser, see :meth:`.extractor.Extractor.card`.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_json, replace_text

NAME = "extractors.json"
FORMAT = 1
_LARGEST = 1 << 22
# They inform a reader; features of other versions can be compared.
_INFORMATION = ("versions", "licence")
# Words may be recognised differently: they are text.
_NO_FRAMES = ("format", "recogniser")
_OPTIONS = {"acoustic": "--voice", "visual": "--face"}

Card = Mapping[str, Any]


def read_card(folder: Path) -> dict[str, Any]:
    """Return the card of a folder of features; empty if it has none.

    Raises:
        DataError: it is damaged, or of a newer format.
    """
    file = folder / NAME
    if not file.is_file():
        return {}
    try:
        card = read_json(file, _LARGEST)
        if not isinstance(card, dict) or not isinstance(card.get("format"), int):
            raise ValueError("no format")
        if not all(isinstance(card[name], dict | None) for name in card if name != "format"):
            raise ValueError("an extractor is no object")
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: not a card of extractors ({str(error)[:100]})") from error
    if card["format"] > FORMAT:
        raise DataError(
            f"{file}: format {card['format']}; this version of mmf_cmsbert reads formats up to "
            f"{FORMAT}. Install a newer one"
        )
    return card


def write_card(folder: Path, card: Card) -> None:
    """Write the card of a folder of features."""
    text = json.dumps({"format": FORMAT, **card}, indent=1, ensure_ascii=False)
    replace_text(folder / NAME, text + "\n")


def difference(one: Card, other: Card, modality: str) -> str | None:
    """Say how the extractors of a modality differ in two cards.

    Returns:
        None if they are the same, or if a card does not name one.
    """
    left, right = one.get(modality), other.get(modality)
    if not left or not right:
        return None
    keys = [key for key in {**left, **right} if key not in _INFORMATION]
    for key in keys:
        if left.get(key) != right.get(key):
            return f"{key} {_shown(left.get(key))}, not {_shown(right.get(key))}"
    return None


def check_same(
    expected: Card, found: Card, what: str, where: str, used: Iterable[str] | None = None
) -> None:
    """Check that features are of the expected extractors.

    Args:
        expected: the card of the features that a model was trained on; may be empty.
        found: the card of the features to use with it; may be empty.
        what: what ``expected`` belongs to, for the message.
        where: what ``found`` belongs to, for the message.
        used: the modalities that are used; None for all that have frames.

    Raises:
        ConfigError: a modality has features of another extractor.
    """
    modalities = [name for name in expected if name not in _NO_FRAMES]
    for modality in modalities if used is None else used:
        if differs := difference(expected, found, modality):
            name = expected[modality].get("name")
            raise ConfigError(
                f"{where}: its {modality} features are of another extractor than those of {what} "
                f"({differs}). Extract them as for {what}: cmsbert features ... "
                f"{_OPTIONS.get(modality, '--' + modality)} {name}; or leave {modality} out"
            )


def described(card: Card) -> list[str]:
    """Return a line for each extractor: what it is, versions, rate, columns."""
    lines = []
    for modality, each in card.items():
        if modality == "format" or not each:
            continue
        parts = [f"{modality}: {each.get('name')}"]
        if versions := each.get("versions"):
            parts.append(", ".join(f"{name} {number}" for name, number in versions.items()))
        if model := each.get("model_sha256"):
            parts.append(f"model {model[:12]}")
        if rate := each.get("rate"):
            parts.append(f"{rate:g} per second")
        if columns := each.get("columns"):
            parts.append(f"{len(columns)} columns")
        lines.append("; ".join(parts))
    return lines


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} columns ({', '.join(map(str, value[:3]))}, ...)"
    return f"{str(value)[:24]}"
