"""The tensors that a checkpoint's pickle describes, checked before torch allocates any of them.

``torch.load(weights_only=True)`` executes nothing, but it believes sizes: a file of a kilobyte can
ask for terabytes. Here the pickle is walked with descriptions instead of tensors.
"""

import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, BinaryIO, ClassVar

import torch

# A pickle of a large model with its optimizer has some 200 KB and 20,000 containers.
LARGEST_PICKLE = 32 << 20
_MOST_CONTAINERS = 500_000
_LONGEST_NAME = 1000
# A tensor may be an expanded view of fewer stored elements, as position ids are.
_EXPANDED = 1 << 20


class Damaged(Exception):
    """The file is torn, altered, or describes something impossible."""


class Foreign(Exception):
    """The file names a function or class that checkpoints do not need; the message is its name."""


@dataclass(frozen=True)
class Storage:
    """A block of elements of one type: how many, and the bytes of each."""

    elements: int
    itemsize: int

    @property
    def size(self) -> int:
        """Bytes of the whole block."""
        return self.elements * self.itemsize


@dataclass(frozen=True)
class _Name:
    """What a pickle refers to by name; nothing is imported."""

    name: str


@dataclass(frozen=True)
class _Described:
    """The result of a call, of which only the function matters."""

    function: str


class Bounded:
    """A file whose reads never ask for more bytes than are left.

    Args:
        file: the file, at the beginning of a pickle.
        end: where it ends.
    """

    def __init__(self, file: BinaryIO, end: int):
        self._file, self._end = file, end

    def read(self, size: int) -> bytes:
        if size > self._end - self._file.tell():
            raise Damaged("it ends too early")
        return self._file.read(size)

    def readline(self) -> bytes:
        return self._file.readline(_LONGEST_NAME)


def walk(file: BinaryIO, end: int, storage_of: Callable[[str, Storage], None]) -> Any:
    """Walk one pickle.

    Args:
        file: an open file, at the beginning of the pickle.
        end: where the file ends.
        storage_of: called with the key and the claimed size of each storage; raises
            :class:`Damaged` if there is no such storage in the file.

    Returns:
        The containers, numbers and strings of the pickle, with descriptions for everything else.

    Raises:
        Damaged: the pickle is torn, or a tensor reaches beyond its storage.
        Foreign: it calls something that checkpoints do not need.
    """
    try:
        return _Walk(Bounded(file, end), storage_of).load()
    except (Damaged, Foreign):
        raise
    except Exception as error:  # a damaged stream fails in as many ways as there are instructions
        raise Damaged(f"{type(error).__name__}: {error}") from error


# The instructions that torch's own restricted loader knows.
_INSTRUCTIONS = """
    PROTO MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE
    SHORT_BINSTRING APPEND APPENDS TUPLE EMPTY_TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST EMPTY_DICT
    BINPUT LONG_BINPUT BINGET LONG_BINGET GLOBAL BINPERSID
"""
_CONTAINERS = ("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_LIST", "EMPTY_DICT", "GLOBAL")
_CODES = {opcode.name: ord(opcode.code) for opcode in pickletools.opcodes}
_Instruction = Callable[[Any], None]
_LIBRARY: Mapping[int, _Instruction] = pickle._Unpickler.dispatch


def _counted(name: str) -> _Instruction:
    load = _LIBRARY[_CODES[name]]

    def load_and_count(self: "_Walk") -> None:
        self.count()
        load(self)

    return load_and_count


class _Dispatch(dict[int, Any]):
    def __missing__(self, code: int) -> _Instruction:
        raise Damaged(f"byte {code:#04x} is not an instruction of a checkpoint")


# The loader written in Python: its memo is a dict, so that a huge index costs nothing.
class _Walk(pickle._Unpickler):
    # What the library's loader sets when it begins.
    stack: list[Any]
    metastack: list[list[Any]]

    def __init__(self, file: Bounded, storage_of: Callable[[str, Storage], None]):
        super().__init__(file, encoding="latin1")
        self._storage_of, self._containers = storage_of, 0

    def count(self) -> None:
        self._containers += 1
        if self._containers > _MOST_CONTAINERS:
            raise Damaged(f"more than {_MOST_CONTAINERS} containers and tensors")

    def find_class(self, module: str, name: str) -> _Name:
        # Protocol 2 has the names of Python 2.
        return _Name(f"{'builtins' if module == '__builtin__' else module}.{name}")

    def persistent_load(self, identity: Any) -> Storage:
        if type(identity) is not tuple or len(identity) not in (5, 6) or identity[0] != "storage":
            raise Damaged("a reference that is no storage")
        _, kind, key, _, elements = identity[:5]
        if not isinstance(kind, _Name) or type(key) is not str or not _is_count(elements):
            raise Damaged("a storage of the wrong form")
        found = Storage(elements, _itemsize(kind.name))
        self._storage_of(key, found)
        if len(identity) == 6 and identity[5] is not None:  # part of another storage
            _, offset, elements = identity[5]
            if not _is_count(offset) or not _is_count(elements):
                raise Damaged("a view of the wrong form")
            if offset + elements > found.elements:
                raise Damaged("a view that reaches beyond its storage")
            return Storage(elements, found.itemsize)
        return found

    def _reduce(self) -> None:
        self.count()
        arguments, function = self.stack.pop(), self.stack[-1]
        if not isinstance(function, _Name) or type(arguments) is not tuple:
            raise Damaged("a call of the wrong form")
        self.stack[-1] = _call(function.name, arguments)

    def _build(self) -> None:
        state, built = self.stack.pop(), self.stack[-1]
        # The versions of the modules that a state dict belongs to.
        if type(built) is not OrderedDict or type(state) is not dict:
            raise Damaged("a state for something that has none")

    def _stop(self) -> None:
        if len(self.stack) != 1 or self.metastack:
            raise Damaged("something is left over at its end")
        _LIBRARY[_CODES["STOP"]](self)

    def _set_item(self) -> None:
        _check_items(self.stack[-3], self.stack[-2:-1])
        _LIBRARY[_CODES["SETITEM"]](self)

    def _set_items(self) -> None:
        _check_items(self.metastack[-1][-1], self.stack[::2])
        _LIBRARY[_CODES["SETITEMS"]](self)

    dispatch: ClassVar[dict[int, Any]] = _Dispatch()
    dispatch |= {_CODES[name]: _LIBRARY[_CODES[name]] for name in _INSTRUCTIONS.split()}
    dispatch |= {_CODES[name]: _counted(name) for name in _CONTAINERS}
    dispatch |= {
        _CODES["REDUCE"]: _reduce,
        _CODES["BUILD"]: _build,
        _CODES["STOP"]: _stop,
        _CODES["SETITEM"]: _set_item,
        _CODES["SETITEMS"]: _set_items,
    }


def _call(function: str, arguments: tuple[Any, ...]) -> Any:
    if function == "collections.OrderedDict":
        if arguments:
            raise Damaged("an ordered dict of the wrong form")
        return OrderedDict()
    if function in _TENSORS:
        _check_tensor(function, *arguments)
    elif function == "torch._utils._rebuild_parameter":
        return arguments[0]
    elif function not in _PLAIN:
        raise Foreign(function)
    return _Described(function)


_TENSORS = {
    f"torch._utils._rebuild_{kind}" for kind in ("tensor", "tensor_v2", "tensor_v3", "qtensor")
}
_PLAIN = {
    "_codecs.encode",  # bytes
    "builtins.complex",
    "torch.Size",
    "torch.device",
    "torch.serialization._get_layout",
}


def _check_tensor(
    function: str, storage: Any, offset: Any, sizes: Any, strides: Any, *rest: Any
) -> None:
    if not isinstance(storage, Storage) or type(sizes) is not tuple or type(strides) is not tuple:
        raise Damaged("a tensor of the wrong form")
    if len(sizes) != len(strides) or not all(map(_is_count, (offset, *sizes, *strides))):
        raise Damaged("a tensor of impossible shape")
    elements = storage.elements
    if function.endswith("_v3"):  # counts elements of its own type, over a storage of bytes
        elements = storage.size // _itemsize(rest[2].name if len(rest) > 2 else "")
    number = prod(sizes)
    last = offset + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))
    if number and (last >= elements or number > max(elements, _EXPANDED)):
        raise Damaged(f"a tensor of {number:,} elements, where {elements:,} are stored")


_ITEM_SIZES = {
    **dict.fromkeys(("Untyped", "Byte", "Char", "Bool", "QUInt8", "QInt8"), 1),
    **dict.fromkeys(("Half", "BFloat16", "Short"), 2),
    **dict.fromkeys(("Float", "Int", "QInt32"), 4),
    **dict.fromkeys(("Double", "Long", "ComplexFloat"), 8),
    "ComplexDouble": 16,
}


def _itemsize(name: str) -> int:
    """Bytes of one element, by the name of a storage class or a type of torch."""
    short = name.removeprefix("torch.").removeprefix("storage.")
    if size := _ITEM_SIZES.get(short.removesuffix("Storage")):
        return size
    if isinstance(kind := getattr(torch, short, None), torch.dtype):
        return kind.itemsize
    raise Damaged(f"elements of the unknown type {name[:60]}")


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _check_items(target: Any, keys: list[Any]) -> None:
    # The hash of a tuple of tuples of tuples can take for ever; the keys of checkpoints are names.
    if type(target) not in (dict, OrderedDict):
        raise Damaged("items for something that takes none")
    if not all(key is None or isinstance(key, (str, bytes, int, float)) for key in keys):
        raise Damaged("a dict whose keys are not names")
