"""Error messages for unknown keys and names, with the nearest known one."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

# Up to this many keys are listed even if a near one is named.
_LISTED = 20


def unknown_key(section: str, key: object, known: Iterable[object]) -> str:
    """Return the error message for an unknown key of a section.

    Args:
        section: the section's dotted key; empty for the top level.
        key: the unknown key.
        known: the keys of the section.
    """
    names = [str(name) for name in known]
    prefix = f"{section}." if section else ""
    message = f"{prefix}{key} is not a known key."
    if close := get_close_matches(str(key), names, n=1):
        message += f" Did you mean {prefix}{close[0]}?"
    if not close or len(names) <= _LISTED:
        message += f" Known keys: {', '.join(names)}"
    return message


def unknown_name(what: str, name: str, known: Collection[str]) -> str:
    """Return the error message for an unregistered name (of a model, a dataset, ...)."""
    close = get_close_matches(name, list(known), n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"{what}={name}: no {what} of that name.{hint} Known: {', '.join(sorted(known))}"
