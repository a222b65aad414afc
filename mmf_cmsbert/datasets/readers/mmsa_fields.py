"""Recognise the content of fields in MMSA's pickles: text or vectors, ids, padding, duplicates."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.text import BYTES


def padded_in_front(rows: np.ndarray, lengths: Sequence[Any]) -> bool:
    """Return whether padding comes before the frames, an option of MMSA's feature extractor.

    It does if rows after the stated length are not zero, and if in every segment the rows that
    would be padding in front are zeros. (Published files have values after their lengths too, but
    begin with frames.)

    Args:
        rows: ``(segments, rows, width)``.
        lengths: number of frames in each segment.
    """
    past = False
    for each, length in zip(rows, np.ravel(lengths).tolist(), strict=True):
        if not isinstance(length, int) or not 0 < length < len(each):
            continue
        if each[: len(each) - length].any():
            return False
        past = past or bool(each[length:].any())
    return past


def is_text(value: Any) -> bool:
    """Return whether a field holds texts rather than word vectors."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "O" or value.ndim != 1:
            return value.dtype.kind in "SU"
    elif not isinstance(value, (list, tuple)):
        return True  # refused later, with its type
    return not len(value) or not isinstance(value[0], (np.ndarray, list, tuple))


def is_ids(value: Any) -> bool:
    """Return whether it is an array of numbers ``(segments, 3, length)``, as in ``text_bert``."""
    if not isinstance(value, np.ndarray) or value.ndim != 3 or value.shape[1] != 3:
        return False
    return value.dtype.kind in "biuf"


def agree(one: Any, other: Any) -> bool:
    """Return whether two fields have equal values for every segment; labels may differ in shape."""
    if one is other:
        return True
    sized = all(isinstance(each, (list, tuple)) or np.ndim(each) for each in (one, other))
    return sized and len(one) == len(other) and all(map(_equal, one, other))


def _equal(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, (str, *BYTES)) or isinstance(other, (str, *BYTES)):
        return type(one) is type(other) and one == other
    if isinstance(one, (list, tuple, dict)) or isinstance(other, (list, tuple, dict)):
        return False  # comparing these can take forever
    one, other = (np.asarray(each).reshape(-1) for each in (one, other))
    if one.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        return False
    return np.array_equal(one.astype(np.float32), other.astype(np.float32), equal_nan=True)
