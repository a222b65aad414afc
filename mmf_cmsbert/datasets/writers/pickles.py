"""Write pickles of plain values, one entry at a time."""

import pickle
from collections.abc import Callable, Iterable
from typing import IO, Any

import numpy as np

_RECONSTRUCT = np.empty(0).__reduce__()[0]


class PicklePart(pickle._Pickler):
    """Writes parts of one pickle, without the memo, which would keep every array in memory."""

    # What the library's pickler has.
    write: Callable[[bytes], Any]
    save: Callable[[Any], None]

    def __init__(self, file: IO[bytes]):
        super().__init__(file, protocol=3)  # 4 has frames, which must not span parts
        self.fast = True

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if obj is _RECONSTRUCT:  # the module's name in numpy 1; numpy 2 accepts both
            self.write(pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n")
        else:
            super().save_global(obj, name)  # type: ignore[misc]  # its stubs lack it


def begin(file: IO[bytes]) -> PicklePart:
    """Begin a pickle; :data:`pickle.STOP` ends it."""
    file.write(pickle.PROTO + b"\x03")
    return PicklePart(file)


def write_list(part: PicklePart, file: IO[bytes], entries: Iterable[Any]) -> None:
    """Write a list, one entry in memory at a time."""
    file.write(pickle.EMPTY_LIST + pickle.MARK)
    for entry in entries:
        part.save(entry)
    file.write(pickle.APPENDS)
