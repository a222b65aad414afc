"""Words of Chinese text, which is written without spaces."""

import re

# Chinese characters (Han): the blocks of unified and compatibility ideographs, all of planes 2 and
# 3, and the iteration mark and zero that are written like them.
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # select a variant of the character before them
_CHARACTER = re.compile(f"[{_HAN}]")
_PARTS = re.compile(f"[{_HAN}][{_MARKS}]?|[^{_HAN}]+")
# Signs that spaces separate words, and signs that they do not: more characters in a row than a
# word has (idioms have four), and a letter or digit beside a Chinese character.
_SPACED = re.compile(f"[{_HAN}][{_MARKS}]?\\s+[{_HAN}]")
_NOT_CUT = re.compile(f"(?:[{_HAN}][{_MARKS}]?){{5}}|[{_HAN}][^\\W{_HAN}]|[^\\W{_HAN}][{_HAN}]")


def words_of(text: str) -> list[str]:
    """Split a text into words at spaces, and Chinese without spaces into its characters.

    A Chinese BERT has one word piece for each Chinese character, so that each piece is a word then.
    What is between Chinese characters (Latin words, numbers, punctuation) is one word each. Text
    whose words are separated by spaces already is only split there: two Chinese characters have a
    space between them, at most four are in a row, and none touches a letter or digit.

    >>> words_of("我看了iPhone 13的广告,很好!")
    ['我', '看', '了', 'iPhone', '13', '的', '广', '告', ',', '很', '好', '!']
    >>> words_of("我 觉得 这部 电影 很 好看")
    ['我', '觉得', '这部', '电影', '很', '好看']
    >>> words_of("a very good film")
    ['a', 'very', 'good', 'film']
    """
    words = text.split()
    if not _CHARACTER.search(text) or (_SPACED.search(text) and not _NOT_CUT.search(text)):
        return words
    return [part for word in words for part in _PARTS.findall(word)]
