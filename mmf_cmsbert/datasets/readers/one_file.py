"""What shows of a file's layout and splits without loading it."""

import io
import pickletools
from functools import cache
from pathlib import Path

from mmf_cmsbert.datasets.readers import folder
from mmf_cmsbert.datasets.readers.names import split_named
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular

# A pickle's first instructions say whether it holds a list or a dict, and of what.
_CONTAINERS = {"EMPTY_LIST": list, "LIST": list, "EMPTY_DICT": dict, "DICT": dict}
_START = 4096
# A pickle of protocol 2 and later, or a container; other text may happen to be instructions, too.
_STARTS = (b"\x80", b"(", b"]", b"}")


def pickled_layout(path: Path) -> str | None:
    """The layout of a pickle by its first instructions, None where they do not show it.

    Raises:
        OSError: the file cannot be read.
    """
    with open_regular(path) as file:
        start = io.BytesIO(file.read(_START))
    if start.getvalue()[:1] not in _STARTS:
        return None
    containers: list[type] = []
    try:
        for instruction, _, _ in pickletools.genops(start):
            if instruction.name in _CONTAINERS:
                containers.append(_CONTAINERS[instruction.name])
            if containers[:1] == [list]:
                return "misa"
            if len(containers) == 2:
                return "mag" if containers[1] is list else "mmsa"
    except Exception:  # no pickle, or none that begins so: the reader's message says what it is
        return None
    return None


def splits_of_rows(path: Path) -> list[str]:
    """The splits that the rows of a plain folder, or of a list of segments, name.

    Returns:
        No split where no row names one. All splits where the rows cannot be read or name something
        else: the reader's message then says what is wrong.

    Raises:
        OSError: the file cannot be read.
    """
    file = next((path / n for n in folder.NAMES if (path / n).exists()), path)
    status = file.stat()
    return list(_splits_of_rows(file, status.st_size, status.st_mtime_ns))


@cache
def _splits_of_rows(file: Path, _size: int, _mtime_ns: int) -> tuple[str, ...]:
    """Read once as long as the file stays the same: a run asks for every split."""
    try:
        named = folder.splits_named(file) - {None}
    except DataError:
        return SPLITS
    splits = set(map(split_named, named))
    return tuple(split for split in SPLITS if split in splits) or (SPLITS if named else ())
