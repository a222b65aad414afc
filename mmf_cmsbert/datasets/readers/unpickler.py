"""Reading pickles of numpy arrays and built-in containers without running what they say.

A pickle is a program: the standard loader imports and calls what it names. Here every global
resolves to a stand-in of ``plain_numpy``, and every instruction that plain data does not need is
refused. The file is mapped into memory: arrays are views of it, and what nobody reads of a large
file takes no memory.
"""

import pickle
import pickletools
import struct
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.other_formats import START, TEXT, is_text, other_format
from mmf_cmsbert.datasets.readers.plain_numpy import (
    GLOBALS,
    Call,
    PendingArray,
    PlainType,
    Refused,
    Stub,
)
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular
from mmf_cmsbert.utils.collection import no_collection


def load_plain(path: str | Path) -> Any:
    """The content of a pickle of any protocol, of numpy 1 or 2, of Python 2 or 3.

    Arrays of some size are read-only views of the file, and so are bytes, as ``memoryview``: the
    file must not be changed in its place as long as they are used.

    Raises:
        DataError: the file cannot be read, is no complete pickle, or asks for anything besides
            numpy arrays and built-in containers. Nothing that it names is imported or executed.
    """
    path = Path(path)
    mapped: mmap | bytes = b""
    try:
        with open_regular(path) as file:
            start = file.read(START)
            _check_format(path, start)
            mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        with no_collection():
            return _PlainUnpickler(mapped).load()
    except Refused as refused:
        if is_text(start, mapped[-2:]):
            raise DataError(f"{path}: expected a pickle, found {TEXT}") from None
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
        if is_text(start, mapped[-2:]):
            raise DataError(f"{path}: expected a pickle, found {TEXT}") from None
        what = f"{type(error).__name__}: {str(error)[:200] or 'it ends too early'}"
        raise DataError(
            f"{path}: not a complete pickle ({what}); copy or download the file again"
        ) from error


def _check_format(path: Path, start: bytes) -> None:
    if not start:
        raise DataError(f"{path}: the file is empty; copy or download it again")
    if what := other_format(path, start):
        raise DataError(f"{path}: expected a pickle, found {what}")


_PLAIN_INSTRUCTIONS = """
    PROTO STOP MARK POP POP_MARK
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8
    SHORT_BINBYTES
    LIST EMPTY_LIST APPEND APPENDS TUPLE EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_DICT PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL
"""
_CODES = {opcode.name: ord(opcode.code) for opcode in pickletools.opcodes}
_NAMES = {code: name for name, code in _CODES.items()}
_LIBRARY = pickle._Unpickler.dispatch
# Bytes of this length and longer stay in the file. Below it a copy is cheaper than a view.
_WORTH_A_VIEW = 512
# CMU-MOSEI in one file takes up to four million. An instruction takes up to 2 microseconds, and 100
# bytes of memory. Small files have few: one number of a list takes nine bytes.
MOST_INSTRUCTIONS, _MOST_OF_SMALL, _BYTES_EACH = 4_500_000, 1_000_000, 12
# Text and the content of arrays may take so many times the file's bytes: what is named again costs
# the file next to nothing.
_MOST_GROWN, _SMALL = 4, 1 << 24
_TEXT = (str, bytes, bytearray, memoryview)
# Word ids and indices are smaller.
_LARGEST_KEY = 2**53
_NAMED_AGAIN = ("GET", "BINGET", "LONG_BINGET", "DUP")


class _Dispatch(dict):
    def __init__(self, *args: Any, most: int = 0):
        super().__init__(*args)
        self.most = self.left = most

    def __getitem__(self, code: int) -> Callable:
        self.left -= 1
        if self.left < 0:
            raise Refused(f"more than {self.most:,} instructions in a file of this size")
        return super().__getitem__(code)

    def __missing__(self, code: int):
        if code in _NAMES:
            raise Refused(f"the pickle instruction {_NAMES[code]}")
        raise pickle.UnpicklingError(f"byte {code:#04x} is no pickle instruction")


def _remembered(name: str) -> Callable:
    get = _LIBRARY[_CODES[name]]

    def load(self: "_PlainUnpickler") -> None:
        get(self)
        found = self.stack[-1]
        # An array was noted down before its state came.
        if type(found) is PendingArray:
            self.stack[-1] = found.array
        elif type(found) in _TEXT:
            self.take_room(len(found))

    return load


# The loader written in Python: its memo is a dict, so a huge index costs nothing, and its
# instructions can be left out one by one. The C loader offers neither.
class _PlainUnpickler(pickle._Unpickler):
    def __init__(self, mapped: mmap):
        super().__init__(mapped, encoding="latin1")
        self._mapped = mapped
        self._view = memoryview(mapped)
        self._room = _MOST_GROWN * len(mapped) + _SMALL
        most = min(MOST_INSTRUCTIONS, _MOST_OF_SMALL + len(mapped) // _BYTES_EACH)
        self.dispatch = _Dispatch(self.dispatch, most=most)

    def find_class(self, module: str, name: str) -> Stub:
        try:
            return GLOBALS[module, name]
        except KeyError:
            hint = " (torch's tensors; MMSA-FET: return_type='np')" * module.startswith("torch.")
            raise Refused(f"it asks for {module}.{name}"[:200] + hint) from None

    def _build(self) -> None:
        built = self.stack[-2]
        if not isinstance(built, (PendingArray, PlainType)):
            raise Refused(f"setting the state of a {type(built).__name__}")
        self._take_room_for_array(self.stack[-1])
        self.load_build()
        if isinstance(built, PendingArray):
            self.stack[-1] = built.array

    def _reduce(self) -> None:
        if not isinstance(self.stack[-2], Call):
            raise Refused(f"calling a {type(self.stack[-2]).__name__}")
        self._take_room_for_array(self.stack[-1])
        self.load_reduce()

    def _take_room_for_array(self, parts: Any) -> None:
        """Count the memory of an array, whose content a pickle can name any number of times."""
        for part in parts if type(parts) is tuple else ():
            if type(part) in _TEXT:
                self.take_room(len(part))
            elif type(part) is list:
                self.take_room(8 * len(part))

    def take_room(self, size: int) -> None:
        self._room -= size
        if self._room < 0:
            raise Refused("the same text or content very many times")

    def _frame(self) -> None:
        # A frame only says how much to read ahead, which a mapped file has no use for.
        self._end_of(self._number("<Q"))

    def _bytes(self) -> None:
        self.append(self._payload(self._number("<I")))

    def _bytes8(self) -> None:
        self.append(self._payload(self._number("<Q")))

    def _number(self, form: str) -> int:
        return struct.unpack(form, self.read(struct.calcsize(form)))[0]

    def _payload(self, size: int) -> bytes | memoryview:
        if size < _WORTH_A_VIEW:
            return self.read(size)
        start, end = self._mapped.tell(), self._end_of(size)
        self._mapped.seek(end)
        return self._view[start:end]

    def _end_of(self, size: int) -> int:
        start, length = self._mapped.tell(), len(self._view)
        if size > length - start:
            raise EOFError(f"{size:,} bytes announced, {length - start:,} left")
        return start + size

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
        (_CODES[name], _LIBRARY[_CODES[name]]) for name in _PLAIN_INSTRUCTIONS.split()
    )
    dispatch.update(
        {
            _CODES["BUILD"]: _build,
            _CODES["REDUCE"]: _reduce,
            _CODES["FRAME"]: _frame,
            _CODES["BINBYTES"]: _bytes,
            _CODES["BINBYTES8"]: _bytes8,
            _CODES["BYTEARRAY8"]: _bytes8,
            _CODES["SETITEM"]: _set_item,
            _CODES["SETITEMS"]: _set_items,
            _CODES["DICT"]: _dict,
            **{_CODES[name]: _remembered(name) for name in _NAMED_AGAIN},
        }
    )


def _check_items(target: Any, keys: list) -> None:
    # The hash of a tuple of tuples of tuples can take for ever; the keys of data are names.
    # Integers can be chosen so that all their hashes are equal; those of text are salted.
    if type(target) is not dict or not all(map(_is_name, keys)):
        raise Refused("a dict whose keys are no names")


def _is_name(key: Any) -> bool:
    return isinstance(key, (str, bytes)) or (isinstance(key, int) and abs(key) < _LARGEST_KEY)
