"""Replacements for the few globals that a pickle of plain data names: numpy's arrays and types.

numpy's functions trust the sizes, flags and memory layouts in a pickle. These make arrays from
checked types, shapes and bytes.
"""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.file_views import (
    FileArray,
    FileBytes,
    has_impossible_characters,
)

# Texts of up to ten million characters; a fixed-width text always takes its full width.
_PLAIN_TYPE = re.compile(r"b1|[iuf]\d{1,2}|[SU][1-9]\d{0,6}|O\d?")


class Refused(Exception):
    """The pickle uses something that plain data does not need."""


class Stub:
    """The object that a global of a pickle resolves to."""

    __slots__ = ()


class _ArrayClass(Stub):
    """Replaces the class ``numpy.ndarray``, which is named but not called."""

    __slots__ = ()


class PlainType(Stub):
    """A numpy dtype of plain values: bool, integer, float, text, or object."""

    __slots__ = ("dtype",)

    def __init__(self, code: Any, *_align_and_copy: Any):
        code = _text(code)
        if not _PLAIN_TYPE.fullmatch(code):
            raise Refused(f"numpy dtype {code[:40]!r}" + " (of fields)" * code.startswith("V"))
        self.dtype = np.dtype("O" if code[0] == "O" else code)

    def __setstate__(self, state: Any) -> None:
        # Only the byte order of numpy's state is used: a pickle could access memory through sizes,
        # fields and flags.
        _version, order, subarray, names, fields, *_sizes_and_flags = state
        if not (subarray is names is fields is None) or _text(order) not in ("<", ">", "|", "="):
            raise Refused("numpy dtype with fields")
        byte_order: Any = _text(order)
        self.dtype = self.dtype.newbyteorder(byte_order)


class PendingArray(Stub):
    """An array whose state comes later in the pickle.

    Attributes:
        array: the array.
    """

    __slots__ = ("_array",)

    def __setstate__(self, state: Any) -> None:
        *_version, shape, plain, fortran, content = state
        dtype = _dtype(plain)
        if dtype.hasobject:
            if type(content) is not list or len(content) != _size(shape):
                raise Refused("numpy array whose content does not fit its shape")
            self._array = np.empty(0, np.uint8)
            whole: Any = (1, shape, dtype, bool(fortran), content)
            self._array.__setstate__(whole)
        else:
            self._array = _array(content, dtype, shape, "F" if fortran else "C")

    @property
    def array(self) -> np.ndarray:
        try:
            return self._array
        except AttributeError:
            raise Refused("numpy array without state, or containing itself") from None


def _new_array(of: Any, *_shape_and_type: Any) -> PendingArray:
    if not isinstance(of, _ArrayClass):
        raise Refused("numpy array of another class")
    return PendingArray()


def _array_from_buffer(
    content: Any, plain: Any, shape: Any, order: Any = "C", axes: Any = None
) -> Any:
    dtype = _dtype(plain)
    if dtype.hasobject:
        raise Refused("numpy array of objects in a buffer")
    if order in ("C", "F") and axes is None:
        return _array(content, dtype, shape, order)
    _size(shape)
    # numpy 2.3 and newer: contiguous after reordering its axes.
    if (
        order != "K"
        or type(axes) is not tuple
        or any(type(axis) is not int for axis in axes)
        or sorted(axes) != list(range(len(shape)))
    ):
        raise Refused("numpy array with an unknown memory layout")
    return _array(content, dtype, shape, axes)


def _array(content: Any, dtype: np.dtype, shape: Any, order: str | tuple[int, ...]) -> Any:
    """Make an array from bytes in memory or in a file.

    Args:
        content: the bytes.
        dtype: a type of plain values.
        shape: the shape in the pickle.
        order: ``C``, ``F``, or the order of axes relative to an array in order C.
    """
    content = _content(content, dtype, shape)
    stored = shape[::-1] if order == "F" else shape
    axes = order if isinstance(order, tuple) else tuple(range(len(shape)))
    axes = axes[::-1] if order == "F" else axes
    if isinstance(content, FileBytes):
        if shape:
            return FileArray(content, dtype, stored, axes)
        content = bytes(content)
    return np.ndarray(stored, dtype, content).transpose(axes)


def _variable_text(*_coerce_and_missing: Any) -> PlainType:
    # numpy 2's StringDType: its arrays come as lists of text.
    return PlainType("O")


def _scalar(plain: Any, content: Any) -> Any:
    dtype = _dtype(plain)
    if dtype.hasobject:
        raise Refused("numpy scalar of objects")
    return _array(content, dtype, (), "C")[()]


def _encode(text: Any, encoding: Any = None, *_errors: Any) -> bytes:
    # Python 3 writes bytes like this in protocols 0 to 2.
    if type(text) is not str or _text(encoding).lower() not in ("latin1", "latin-1"):
        raise Refused("_codecs.encode with another encoding than latin1")
    return text.encode("latin-1")


def _empty_bytes(*content: Any) -> bytes:
    if content:
        raise Refused("bytes() of something")
    return b""


def _set(items: Any = ()) -> list[Any]:
    # As a list: no set is built from values that a file chooses.
    if type(items) not in (list, tuple):
        raise Refused("a set of something else than a list")
    return list(items)


def _dtype(plain: Any) -> np.dtype:
    if not isinstance(plain, PlainType):
        raise Refused("numpy array of an unknown dtype")
    return plain.dtype


def _size(shape: Any) -> int:
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        raise Refused("numpy array with an impossible shape")
    return math.prod(shape)


def _content(content: Any, dtype: np.dtype, shape: Any) -> bytes | bytearray | FileBytes:
    if type(content) is str:  # the bytes of a Python 2 pickle
        content = content.encode("latin-1")
    if (
        type(content) not in (bytes, bytearray, FileBytes)
        or len(content) != _size(shape) * dtype.itemsize
    ):
        raise Refused("numpy array whose content does not fit its shape")
    # Bytes in a file are checked when they are read.
    if type(content) is not FileBytes and has_impossible_characters(content, dtype):
        raise Refused("numpy text with characters that do not exist")
    return content


def _text(value: Any) -> str:
    if type(value) is bytes:
        value = value.decode("latin-1")
    if type(value) is not str:
        raise Refused("a name that is not text")
    return value


class Call(Stub):
    """A function that a pickle may call."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]):
        self._function = function

    def __call__(self, *args: Any) -> Any:
        return self._function(*args)


_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")
GLOBALS: dict[tuple[str, str], Stub] = {
    ("numpy", "ndarray"): _ArrayClass(),
    ("numpy", "dtype"): Call(PlainType),
    ("_codecs", "encode"): Call(_encode),
    ("__builtin__", "set"): Call(_set),
    ("builtins", "set"): Call(_set),
    ("__builtin__", "bytes"): Call(_empty_bytes),
    ("builtins", "bytes"): Call(_empty_bytes),
    **{(module, "_reconstruct"): Call(_new_array) for module in _MULTIARRAY},
    **{(module, "scalar"): Call(_scalar) for module in _MULTIARRAY},
    **{(module, "_frombuffer"): Call(_array_from_buffer) for module in _NUMERIC},
    ("numpy._core._internal", "_convert_to_stringdtype_kwargs"): Call(_variable_text),
}
