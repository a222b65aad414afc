"""Load pickles of NumPy arrays and built-in containers without executing code in them.

A pickle is a program: the standard loader imports and calls the functions that it names. Here every
global name resolves to a replacement in ``plain_numpy``, and instructions that plain data does not
need are refused. Large arrays stay in the file until they are read.
"""

import os
import pickle
import pickletools
import re
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from mmf_cmsbert.datasets.readers.file_views import FileBytes, ViewedFile
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
    """Load a pickle of any protocol, written with NumPy 1 or 2 and Python 2 or 3.

    Sets are returned as lists.

    Large arrays are returned as :class:`.FileArray`, large bytes as :class:`.FileBytes`, which read
    the file when they are used. The file stays open as long as one of them exists. If the file
    changes, they raise a DataError.

    Raises:
        DataError: the file cannot be read, is not a complete pickle, or contains anything besides
            NumPy arrays and built-in containers. Nothing that it names is imported or executed.
    """
    path = Path(path)
    start = end = b""
    try:
        file = open_regular(path)
        viewed = ViewedFile(path, file)
        start = file.read(START)
        _check_format(path, start)
        file.seek(-min(2, viewed.size), os.SEEK_END)
        end = file.read()
        file.seek(0)
        with no_collection():
            return _PlainUnpickler(file, viewed).load()
    except Refused as refused:
        if is_text(start, end):
            raise DataError(f"{path}: expected a pickle, found {TEXT}") from None
        raise DataError(
            f"{path}: refused, and nothing in it was executed: {refused}. Data files may contain "
            "numpy arrays, lists, tuples, dicts, text and numbers only; download the file from the "
            "source of the corpus, or save its content again with these types"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except RecursionError as error:
        raise DataError(f"{path}: damaged pickle (nested too deeply)") from error
    except (DataError, KeyboardInterrupt):
        raise
    except Exception as error:  # each instruction has its own errors for a damaged pickle
        if is_text(start, end):
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
    NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 FLOAT BINFLOAT
    STRING SHORT_BINSTRING
    SHORT_BINBYTES
    LIST EMPTY_LIST APPEND APPENDS TUPLE EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_DICT PUT BINPUT LONG_BINPUT MEMOIZE GLOBAL STACK_GLOBAL
"""
_CODES = {opcode.name: opcode.code.encode("latin-1") for opcode in pickletools.opcodes}
_NAMES = {code: name for name, code in _CODES.items()}
_LIBRARY: Mapping[int, Callable[[Any], None]] = pickle._Unpickler.dispatch
# Bytes of this length and longer stay in the file. Below it a copy is cheaper than a view.
_WORTH_A_VIEW = 512
# CMU-MOSEI in one file has up to four million. An instruction takes up to 2 microseconds and 100
# bytes of memory. Small files have fewer: a number in a list takes nine bytes.
MOST_INSTRUCTIONS, _MOST_OF_SMALL, _BYTES_EACH = 4_500_000, 1_000_000, 12
# Memory for text and arrays, as a multiple of the file's bytes: repeated references to a value take
# almost no bytes in the file.
_MOST_GROWN, _SMALL = 4, 1 << 24
_TEXT = (str, bytes, bytearray, FileBytes)
# Largest text in bytes with characters outside latin1. In protocols 0 to 2 the content of an array
# is a text of any length, but without such characters.
_LONGEST_WIDE, _FIRST_WIDE = 1 << 20, 0xC4
_ESCAPED_WIDE = re.compile(rb"\\u(?!00)|\\U")
# Texts that take long to decode: those with escapes (protocol 0), and those beyond Unicode (half an
# emoji), each of which takes as long as eight others.
_MOST_SLOW, _BEYOND_UNICODE = 1 << 21, 8
_CONTAINERS, _ITEM = (tuple, list, dict), 32
# Larger than word ids and indices.
_LARGEST_KEY, _LONGEST_KEY = 2**53, 1 << 10
_NAMED_AGAIN = ("GET", "BINGET", "LONG_BINGET", "DUP")


class _Dispatch(dict[bytes, Any]):
    def __missing__(self, code: bytes) -> Any:
        if not code:
            raise EOFError
        if code in _NAMES:
            raise Refused(f"the pickle instruction {_NAMES[code]}")
        raise pickle.UnpicklingError(f"byte {code.hex()} is not a pickle instruction")


def _remembered(name: str) -> Callable[["_PlainUnpickler"], None]:
    get = _LIBRARY[ord(_CODES[name])]

    def load(self: "_PlainUnpickler") -> None:
        get(self)
        found = self.stack[-1]
        # An array is memoized before its state is set.
        if type(found) is PendingArray:
            self.stack[-1] = found.array
        elif type(found) in _TEXT:
            self.count_bytes(len(found))
        elif type(found) in _CONTAINERS:
            self.count_container(found)

    return load


# Based on the loader written in Python: its memo is a dict, so that a huge index takes no memory,
# and single instructions can be removed. Neither applies to the C loader.
class _PlainUnpickler(pickle._Unpickler):
    def __init__(self, file: BinaryIO, viewed: ViewedFile):
        super().__init__(file, encoding="latin1")
        self._file, self._viewed = file, viewed
        self._bytes_left = _MOST_GROWN * viewed.size + _SMALL
        self._slow = _MOST_SLOW
        self._most = min(MOST_INSTRUCTIONS, _MOST_OF_SMALL + viewed.size // _BYTES_EACH)

    def load(self) -> Any:
        """Load like the library, with a limit of instructions, and without reading ahead."""
        self.read, self.readline = self._file.read, self._file.readline
        self.metastack: list[list[Any]] = []
        self.stack: list[Any] = []
        self.append = self.stack.append
        self.proto = 0
        read, dispatch = self.read, self.dispatch
        try:
            for _ in range(self._most):
                dispatch[read(1)](self)
        except pickle._Stop as stop:  # type: ignore[attr-defined]  # its stubs lack it
            return stop.value
        raise Refused(f"more than {self._most:,} instructions in a file of this size")

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
        self._count_array(self.stack[-1])
        _library(self, "BUILD")
        if isinstance(built, PendingArray):
            self.stack[-1] = built.array

    def _reduce(self) -> None:
        if not isinstance(self.stack[-2], Call):
            raise Refused(f"calling a {type(self.stack[-2]).__name__}")
        self._count_array(self.stack[-1])
        _library(self, "REDUCE")

    def _count_array(self, parts: Any) -> None:
        """Count the memory of an array, because a pickle can repeat its content many times."""
        for part in parts if type(parts) is tuple else ():
            if type(part) in _TEXT:
                self.count_bytes(len(part))
            elif type(part) is list:
                self.count_bytes(8 * len(part))

    def count_bytes(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise Refused("the same text or content very many times")

    def count_container(self, container: Any) -> None:
        """Count each item of a container as often as it occurs, because readers iterate over it."""
        todo = [container]
        while todo:
            container = todo.pop()
            self.count_bytes(_ITEM * len(container))
            for item in container.items() if type(container) is dict else container:
                if type(item) in _CONTAINERS:
                    todo.append(item)
                elif type(item) in _TEXT:
                    self.count_bytes(len(item))
                elif type(item) is np.ndarray and item.dtype.hasobject:
                    self.count_bytes(_ITEM * item.size)

    def _frame(self) -> None:
        # A frame only gives the number of bytes to read ahead.
        self._end_of(self._number("<Q"))

    def _bytes(self) -> None:
        self.append(self._payload(self._number("<I")))

    def _bytes8(self) -> None:
        self.append(self._payload(self._number("<Q")))

    def _number(self, form: str) -> int:
        return struct.unpack(form, self.read(struct.calcsize(form)))[0]

    def _payload(self, size: int) -> bytes | FileBytes:
        if size < _WORTH_A_VIEW:
            return self.read(size)
        end = self._end_of(size)
        self._file.seek(end)
        return FileBytes(self._viewed, end - size, size)

    def _end_of(self, size: int) -> int:
        """Return the position after ``size`` more bytes, and check that the file has them.

        Without the check, reading would allocate memory for any announced size.
        """
        start, length = self._file.tell(), self._viewed.size
        if size > length - start:
            raise EOFError(f"{size:,} bytes announced, {length - start:,} left")
        return start + size

    def _text(self) -> None:
        self.append(self._decoded(self._number("<I")))

    def _text8(self) -> None:
        self.append(self._decoded(self._number("<Q")))

    def _short_text(self) -> None:
        self.append(self._decoded(self.read(1)[0]))

    def _decoded(self, size: int) -> str:
        if size <= _LONGEST_WIDE:
            content = self.read(size)
            try:
                return str(content, "utf-8")
            except UnicodeDecodeError:
                self._take_time(_BEYOND_UNICODE)
                return str(content, "utf-8", "surrogatepass")
        self._end_of(size)
        content = self.read(size)
        # In UTF-8 these bytes start characters outside latin1. A text with one of them takes two or
        # four bytes of memory per character.
        if content and np.frombuffer(content, np.uint8).max() >= _FIRST_WIDE:
            raise Refused(f"a text of {size:,} bytes, longer than any segment")
        return str(content, "utf-8")

    def _take_time(self, share: int) -> None:
        self._slow -= share
        if self._slow < 0:
            raise Refused("more texts with escapes or beyond Unicode than any corpus has")

    def _escaped_text(self) -> None:
        self._take_time(1)
        line = self.readline()[:-1]
        if len(line) > _LONGEST_WIDE and _ESCAPED_WIDE.search(line):
            raise Refused(f"a text of {len(line):,} bytes, longer than any segment")
        self.append(str(line, "raw-unicode-escape"))

    def _old_text(self) -> None:
        size = self._number("<i")
        self._end_of(max(0, size))
        self.append(self._decode_string(self.read(size)))  # type: ignore[attr-defined]  # as above

    def _long4(self) -> None:
        size = self._number("<i")
        self._end_of(max(0, size))
        self.append(pickle.decode_long(self.read(max(0, size))))

    def _set_item(self) -> None:
        _check_items(self.stack[-3], self.stack[-2:-1])
        _library(self, "SETITEM")

    def _set_items(self) -> None:
        _check_items(self.metastack[-1][-1], self.stack[::2])
        _library(self, "SETITEMS")

    def _dict(self) -> None:
        _check_items({}, self.stack[::2])
        _library(self, "DICT")

    def _empty_set(self) -> None:
        self.append([])  # sets are returned as lists

    def _add_items(self) -> None:
        items = self.pop_mark()  # type: ignore[attr-defined]  # as above
        if type(self.stack[-1]) is not list:
            raise Refused(f"items added to a {type(self.stack[-1]).__name__}")
        self.stack[-1].extend(items)

    dispatch: ClassVar[Any] = _Dispatch(
        (_CODES[name], _LIBRARY[ord(_CODES[name])]) for name in _PLAIN_INSTRUCTIONS.split()
    )
    dispatch.update(
        {
            _CODES["BUILD"]: _build,
            _CODES["REDUCE"]: _reduce,
            _CODES["FRAME"]: _frame,
            _CODES["BINBYTES"]: _bytes,
            _CODES["BINBYTES8"]: _bytes8,
            _CODES["BYTEARRAY8"]: _bytes8,
            _CODES["BINUNICODE"]: _text,
            _CODES["BINUNICODE8"]: _text8,
            _CODES["SHORT_BINUNICODE"]: _short_text,
            _CODES["UNICODE"]: _escaped_text,
            _CODES["BINSTRING"]: _old_text,
            _CODES["LONG4"]: _long4,
            _CODES["SETITEM"]: _set_item,
            _CODES["SETITEMS"]: _set_items,
            _CODES["DICT"]: _dict,
            _CODES["EMPTY_SET"]: _empty_set,
            _CODES["ADDITEMS"]: _add_items,
            **{_CODES[name]: _remembered(name) for name in _NAMED_AGAIN},
        }
    )


def _library(unpickler: _PlainUnpickler, name: str) -> None:
    """Execute an instruction as the library does."""
    _LIBRARY[ord(_CODES[name])](unpickler)


def _check_items(target: Any, keys: list[Any]) -> None:
    # Keys of data are names. Hashing nested tuples can take forever. Large integers can be chosen
    # to have equal hashes; hashes of text are salted.
    if type(target) is not dict or not all(map(_is_name, keys)):
        raise Refused("a dict whose keys are not names")


def _is_name(key: Any) -> bool:
    if isinstance(key, (str, bytes)):
        return len(key) <= _LONGEST_KEY
    return isinstance(key, int) and abs(key) < _LARGEST_KEY
