"""Text from files: describe values, recognise blank words, and split texts into words."""

import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.chinese import words_of
from mmf_cmsbert.datasets.readers.file_views import FileBytes
from mmf_cmsbert.errors import SegmentError

BYTES = (bytes, FileBytes)
# Characters of a segment, and of its id. A pickle can refer to one long word any number of times.
LONGEST_TEXT, LONGEST_ID = 1 << 20, 1 << 10
# Characters that are letters or symbols by category, but invisible: Hangul fillers, empty Braille.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def has_text(word: str) -> bool:
    """Return whether a word has a visible character.

    Invisible are spaces, control and format characters (zero-width spaces and joiners, byte order
    marks, soft hyphens, direction marks), combining marks without a letter, and fillers.
    """
    return any(
        # Letter, number, punctuation, symbol; vowel signs of Indic scripts; private use.
        (kind := unicodedata.category(character))[0] in "LNPS" or kind in ("Mc", "Co")
        for character in word
        if character not in _FILLERS
    )


def describe(value: Any) -> str:
    """Describe ``value`` in a few words, at low cost for any value."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, (list, tuple, dict)):
        kinds = sorted({type(item).__name__ for item in islice(value, 8)})
        return f"a {type(value).__name__} of {len(value)} ({', '.join(kinds)})"
    if isinstance(value, (str, *BYTES)):
        return f"{'str' if isinstance(value, str) else 'bytes'} {value[:40]!r}"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "a huge whole number"
    return "None" if value is None else f"{type(value).__name__} {value!r:.40}"


def word_list(value: Any, where: str) -> list[str]:
    """Read words from a list or array of text or bytes, blank ones included."""
    if not isinstance(value, (list, tuple, np.ndarray)) or getattr(value, "ndim", 1) == 0:
        raise SegmentError(f"{where}: expected a list of words, found {describe(value)}")
    words, left = [], LONGEST_TEXT
    for word in value:
        words.append(_word(word, where, left))
        left -= len(words[-1]) + 1
    return words


def split_text(value: Any, where: str) -> list[str]:
    """Split a text into words, see :func:`~.chinese.words_of`; blank ones included."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, BYTES):
        value = decoded(value, f"{where}: the text")
    if not isinstance(value, str):
        raise SegmentError(f"{where}: expected the text of the segment, found {describe(value)}")
    not_too_long(value, LONGEST_TEXT, f"{where}: the text")
    writable(value, f"{where}: the text")
    return words_of(str(value))


def spoken(words: Iterable[str], where: str) -> list[int]:
    """Return the positions of the words that are not blank.

    Raises:
        SegmentError: all words are blank, or there are none.
    """
    words = list(words)
    found = [i for i, word in enumerate(words) if has_text(word)]
    if not found:
        why = f": all {len(words)} are blank, such as {words[0][:8]!a}" if words else ""
        raise SegmentError(f"{where}: the segment has no words{why}; add its text, or remove it")
    return found


def decoded(value: bytes | FileBytes, what: str) -> str:
    """Decode UTF-8 text, or raise a SegmentError that begins with ``what``."""
    try:
        return str(bytes(value), "utf-8")
    except UnicodeDecodeError as error:
        raise SegmentError(f"{what} is not UTF-8 text: {value[:40]!r}") from error


def writable(value: str, what: str) -> None:
    """Refuse text that cannot be encoded: lone surrogates, code points that do not exist."""
    try:
        value.encode("utf-8")
    except (UnicodeEncodeError, SystemError, ValueError) as error:
        raise SegmentError(f"{what} cannot be encoded as UTF-8") from error


def not_too_long(value: str | bytes | FileBytes, most: int, what: str) -> None:
    """Refuse a text that is too long for a segment."""
    if len(value) > most:
        raise SegmentError(f"{what} is longer than {most:,} characters; refused")


def _word(word: Any, where: str, left: int) -> str:
    if isinstance(word, np.ndarray) and word.size == 1:  # as read from an HDF5 file
        word = word.reshape(-1)[0]
    if isinstance(word, BYTES):
        word = decoded(word, f"{where}: a word")
    if not isinstance(word, str):
        raise SegmentError(f"{where}: expected words as text, found {describe(word)}")
    if len(word) >= left:
        raise SegmentError(
            f"{where}: the words have more than {LONGEST_TEXT:,} characters together; refused"
        )
    writable(word, f"{where}: a word")
    return str(word)
