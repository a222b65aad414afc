"""The names that files, folders and rows use for the splits of a corpus."""

import re

SPLIT_OF = {
    "train": "train",
    "dev": "val",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
}


def split_in(name: str) -> str | None:
    """The split that the words of a file's name speak of, as in ``misa_dev``.

    Returns:
        ``train``, ``val`` or ``test``; None where no word names a split, or two name
        different ones.
    """
    words = re.split(r"[^a-z]+", name.lower())
    found = {SPLIT_OF[word] for word in words if word in SPLIT_OF}
    return found.pop() if len(found) == 1 else None
