"""The matrix of word vectors for a vocabulary."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular

WIDTH = 300
_LONGEST_LINE = 1 << 16


def matrix(ids: Mapping[str, int], file: Path | None) -> tuple[np.ndarray, int]:
    """Return vectors in the order of the ids, as in MISA: from the file, or else random.

    Args:
        ids: word -> its row.
        file: text, a word and 300 numbers a line (GloVe's format); None for random vectors only.

    Returns:
        float32 ``(words, 300)``, the same for the same vocabulary, and the number of words that
        the file has.

    Raises:
        DataError: the file cannot be read, or has an invalid line.
    """
    vectors = np.random.default_rng(0).standard_normal((len(ids), WIDTH), np.float32)
    if file is None:
        return vectors, 0
    found: set[str] = set()
    try:
        with io.TextIOWrapper(open_regular(file), encoding="utf-8") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(_LONGEST_LINE), ""), 1):
                # Words in GloVe's files can contain spaces.
                word, *numbers = line.rstrip().rsplit(" ", WIDTH)
                if number == 1 and len(numbers) == 1:  # word2vec's line of counts
                    continue
                if len(numbers) < WIDTH:
                    raise _unknown(f"{file}: line {number}", line)
                if word in ids:
                    vectors[ids[word]] = _vector(numbers, f"{file}: line {number}", line)
                    found.add(word)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{file}: cannot be read as word vectors ({str(error)[:200]})") from error
    if not found:
        raise DataError(f"{file}: has no vector for any of the {len(ids)} words of the corpus")
    return vectors, len(found)


def _vector(numbers: Sequence[str], where: str, line: str) -> np.ndarray:
    try:
        vector = np.array([float(number) for number in numbers], np.float32)
    except ValueError as error:
        raise _unknown(where, line) from error
    if not np.isfinite(vector).all():
        raise _unknown(where, line)
    return vector


def _unknown(where: str, line: str) -> DataError:
    return DataError(
        f"{where}: expected a word and {WIDTH} numbers, as in glove.840B.300d.txt, found "
        f"{line[:60]!r}"
    )
