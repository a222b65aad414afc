"""The splits of a pickle that holds all of them in a dict."""

from typing import Any

from mmf_cmsbert.datasets.readers.names import SPLIT_NAMES, split_keys, split_named
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.errors import DataError

EXAMPLE = "one pickle with all splits"
_KINDS: dict[type, str] = {dict: "dict", list: "list", tuple: "tuple"}


def splits_in(content: Any) -> list[Any]:
    """Return a pickle's values under the names of splits; empty without any."""
    if not isinstance(content, dict):
        return []
    return [value for key, value in content.items() if split_named(key)]


def split_content(content: Any, split: str, kinds: tuple[type, ...], where: str) -> tuple[str, Any]:
    """Return a split's key in the file, and its value.

    Args:
        content: the content of the pickle.
        split: ``train``, ``val`` or ``test``.
        kinds: the accepted types of the value.
        where: the file, for messages.

    Raises:
        DataError: the split is missing, occurs twice, or has another type.
    """
    keys = split_keys(content, where) if isinstance(content, dict) else {}
    if split not in keys or not isinstance(content[keys[split]], kinds):
        kind = " or ".join(_KINDS[each] for each in kinds)
        if split in keys:
            found = f"{describe(content[keys[split]])} under {keys[split]!r}"
        elif isinstance(content, dict):
            found = f"only {', '.join(sorted(map(repr, content))[:8]) or 'an empty dict'}"
        else:
            found = describe(content)
        names = " or ".join(map(repr, SPLIT_NAMES[split]))
        raise DataError(
            f"{where}: no {split} split; expected a dict with a {kind} under {names}, found {found}"
        )
    return str(keys[split]), content[keys[split]]
