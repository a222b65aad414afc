"""Arrow files with compression or dictionaries are refused: some bytes can stand for gigabytes.

The library ``datasets`` writes none. pyarrow decompresses a record batch as it reads it, and does
not say before whether it is compressed; its message does (a flatbuffer, Arrow's ``Message.fbs``).
"""

from pathlib import Path

import pyarrow as pa

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular

_FILE = b"ARROW1\0\0"  # the start of an Arrow file; a stream follows
# Fields of the tables ``Message`` and ``RecordBatch``
_HEADER, _COMPRESSION = 2, 3


def check(path: Path) -> None:
    """Check an Arrow stream or file.

    Raises:
        DataError: a record batch is compressed, or a column is a dictionary.
        Exception: it is damaged; pyarrow raises several types.
    """
    with open_regular(path) as file:
        if file.read(len(_FILE)) != _FILE:
            file.seek(0)
        reader = pa.ipc.MessageReader.open_stream(file)
        for message in reader:
            dictionary = message.type == "dictionary"
            batch = message.type == "record batch"
            if dictionary or (batch and _is_compressed(message.metadata.to_pybytes())):
                raise DataError(
                    f"{path}: Arrow with compression or dictionaries, whose size in memory is "
                    "unknown; expected Arrow as datasets writes it (save_to_disk), or Parquet"
                )


def _is_compressed(message: bytes) -> bool:
    batch = _field(message, _number(message, 0), _HEADER)
    assert batch is not None
    return _field(message, batch + _number(message, batch), _COMPRESSION) is not None


def _field(content: bytes, table: int, number: int) -> int | None:
    """Position of a field of a flatbuffer's table; None if it is not set."""
    fields = table - _number(content, table, signed=True)
    place = 4 + 2 * number
    if place >= _number(content, fields, 2):
        return None
    offset = _number(content, fields + place, 2)
    return table + offset if offset else None


def _number(content: bytes, start: int, size: int = 4, signed: bool = False) -> int:
    return int.from_bytes(content[start : start + size], "little", signed=signed)
