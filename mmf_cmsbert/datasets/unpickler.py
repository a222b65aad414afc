"""Reading pickles of numpy arrays and built-in containers without running what they say.

A pickle is a program: the standard loader imports and calls what it names. Here every global
resolves to a stand-in of ``plain_numpy``, and every instruction that plain data does not need is
refused.
"""

import os
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any, BinaryIO

from mmf_cmsbert.datasets.plain_numpy import GLOBALS, Call, PlainArray, PlainType, Refused, Stub
from mmf_cmsbert.errors import DataError


def load_plain(path: str | Path) -> Any:
    """The content of a pickle of any protocol, of numpy 1 or 2, of Python 2 or 3.

    Arrays come back as a subclass of ``numpy.ndarray``, numpy scalars as themselves.

    Raises:
        DataError: the file cannot be read, is no complete pickle, or asks for anything besides
            numpy arrays and built-in containers. Nothing that it names is imported or executed.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            _refuse_other_formats(path, file.read(64))
            file.seek(0)
            return _PlainUnpickler(_BoundedFile(file)).load()
    except Refused as refused:
        raise DataError(
            f"{path}: refused, and nothing in it was executed: {refused}. Data files may hold "
            "numpy arrays, lists, tuples, dicts, text and numbers only; take the file from the "
            "corpus's own source, or save its content again as such"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except RecursionError as error:
        raise DataError(f"{path}: damaged pickle (nested too deeply)") from error
    except (DataError, KeyboardInterrupt):
        raise
    except Exception as error:  # a damaged stream fails in as many ways as there are instructions
        raise DataError(
            f"{path}: not a complete pickle ({type(error).__name__}: {str(error)[:200]}); "
            "copy or download the file again"
        ) from error


_OTHER_FORMATS = {
    b"\x89HDF": "an HDF5 file (a .csd computational sequence is one)",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; type git lfs pull",
    b"<": "a web page; download the file itself",
    b"\x93NUMPY": "a .npy file",
}


def _refuse_other_formats(path: Path, start: bytes) -> None:
    if not start:
        raise DataError(f"{path}: the file is empty; copy or download it again")
    for magic, what in _OTHER_FORMATS.items():
        if start.lstrip().startswith(magic):
            raise DataError(f"{path}: expected a pickle, found {what}")


class _BoundedFile:
    """Reads that never allocate more than what is left of the file."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self.readline = file.readline

    def read(self, size: int) -> bytes:
        if not 0 <= size <= 4096:  # nearly all reads are of single bytes: keep them quick
            self._check(size)
        return self._file.read(size)

    def _check(self, size: int) -> None:
        left = self._size - self._file.tell()
        if not 0 <= size <= left:
            raise EOFError(f"{size:,} bytes announced, {left:,} left")


_PLAIN_INSTRUCTIONS = """
    PROTO FRAME STOP MARK POP POP_MARK DUP
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    BINBYTES SHORT_BINBYTES BINBYTES8
    LIST EMPTY_LIST APPEND APPENDS TUPLE EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3
    DICT EMPTY_DICT SETITEM SETITEMS GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE
    GLOBAL STACK_GLOBAL REDUCE BUILD
"""
_CODES = {opcode.name: ord(opcode.code) for opcode in pickletools.opcodes}
_NAMES = {code: name for name, code in _CODES.items()}


class _Dispatch(dict):
    def __missing__(self, code: int):
        if code in _NAMES:
            raise Refused(f"the pickle instruction {_NAMES[code]}")
        raise pickle.UnpicklingError(f"byte {code:#04x} is no pickle instruction")


# The loader written in Python: its memo is a dict, so a huge index costs nothing, and its
# instructions can be left out one by one. The C loader offers neither.
class _PlainUnpickler(pickle._Unpickler):
    def __init__(self, file: _BoundedFile):
        super().__init__(file, encoding="latin1")

    def find_class(self, module: str, name: str) -> Stub:
        try:
            return GLOBALS[module, name]
        except KeyError:
            raise Refused(f"it asks for {module}.{name}"[:200]) from None

    def _build(self) -> None:
        if not isinstance(self.stack[-2], (PlainArray, PlainType)):
            raise Refused(f"setting the state of a {type(self.stack[-2]).__name__}")
        self.load_build()

    def _reduce(self) -> None:
        if not isinstance(self.stack[-2], Call):
            raise Refused(f"calling a {type(self.stack[-2]).__name__}")
        self.load_reduce()

    def _bytearray(self) -> None:
        # The library's own makes room for what is announced before it reads.
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(bytearray(self.read(size)))

    def _set_item(self) -> None:
        _check_items(self.stack[-3], self.stack[-2:-1])
        self.load_setitem()

    def _set_items(self) -> None:
        _check_items(self.metastack[-1][-1], self.stack[::2])
        self.load_setitems()

    def _dict(self) -> None:
        _check_items({}, self.stack[::2])
        self.load_dict()

    dispatch = _Dispatch(
        (_CODES[name], pickle._Unpickler.dispatch[_CODES[name]])
        for name in _PLAIN_INSTRUCTIONS.split()
    )
    dispatch.update(
        {
            _CODES["BUILD"]: _build,
            _CODES["REDUCE"]: _reduce,
            _CODES["BYTEARRAY8"]: _bytearray,
            _CODES["SETITEM"]: _set_item,
            _CODES["SETITEMS"]: _set_items,
            _CODES["DICT"]: _dict,
        }
    )


def _check_items(target: Any, keys: list) -> None:
    # The hash of a tuple of tuples of tuples can take for ever; the keys of data are names.
    if type(target) is not dict or not all(isinstance(key, (str, bytes, int)) for key in keys):
        raise Refused("a dict whose keys are no names")
