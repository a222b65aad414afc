"""Parse JSON with bounded memory: two bytes of text can become an object of 200 bytes."""

import json
from typing import Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.utils.collection import no_collection

# Bytes of a Python dict of up to five keys, of a list, and of another value in them.
_OBJECT, _ARRAY, _VALUE = 240, 88, 64
_MOST = 1 << 29


def parse(text: str | bytes, where: str) -> Any:
    """Parse a JSON text.

    Args:
        text: the text; bytes are UTF-8, UTF-16 or UTF-32.
        where: the file's name, for the message.

    Raises:
        DataError: its objects would take more than 512 MiB; they are counted in advance.
        ValueError: it is not JSON, or nested too deeply.
    """
    if isinstance(text, str):
        objects, arrays, values = (text.count(mark) for mark in "{[,")
    else:
        objects, arrays, values = (text.count(mark) for mark in (b"{", b"[", b","))
    if (size := objects * _OBJECT + arrays * _ARRAY + values * _VALUE) > _MOST:
        raise DataError(
            f"{where}: JSON of {objects + arrays:,} objects and arrays with {values:,} commas; "
            f"reading it would take about {size >> 20:,} MiB of memory, and {_MOST >> 20} are the "
            "most. Split it, or write segments as JSON Lines (.jsonl), an object a line"
        )
    try:
        with no_collection():
            return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
