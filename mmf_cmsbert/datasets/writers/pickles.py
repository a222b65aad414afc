"""Pickles of plain values, written one entry after the other."""

import pickle
from collections.abc import Iterable
from typing import IO, Any

import numpy as np

_RECONSTRUCT = np.empty(0).__reduce__()[0]


class PicklePart(pickle._Pickler):
    """Writes parts of one pickle, without the memo that would hold every array in memory."""

    def __init__(self, file: IO[bytes]):
        super().__init__(file, protocol=3)  # 4 has frames, which would have to end with the parts
        self.fast = True

    def save_global(self, obj, name=None):
        if obj is _RECONSTRUCT:  # the module's name in numpy 1; numpy 2 knows both
            self.write(pickle.GLOBAL + b"numpy.core.multiarray\n_reconstruct\n")
        else:
            super().save_global(obj, name)


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
