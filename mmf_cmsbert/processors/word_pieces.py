"""Cut words into word pieces, with the index of each piece's word."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.context import SEPARATOR, context_length
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.pretrained import load_pretrained

# Increase this when the same tokenizer gives other pieces.
_VERSION = 2


@dataclass(frozen=True, eq=False, slots=True)
class WordPieces:
    """The word pieces of a segment, special tokens included.

    Attributes:
        input_ids: int64 ``(pieces,)``.
        word_index: int64 ``(pieces,)``, the index of each piece's word, -1 for special tokens.
        truncated: whether words were dropped.
    """

    input_ids: np.ndarray
    word_index: np.ndarray
    truncated: bool


class WordPieceEncoder:
    """Encodes words with a fast tokenizer, at most ``max_seq_length`` pieces per segment.

    Longer segments lose whole words: first those of the context before the segment, from the
    oldest on, then those at its end. If even the first word does not fit, its first pieces are
    kept, so that no segment loses all its text.

    Args:
        tokenizer: a fast tokenizer of Hugging Face transformers.
        max_seq_length: maximum pieces per segment, special tokens included.
        key: the configuration section of these arguments, for messages.

    Raises:
        ConfigError: the tokenizer is not fast, or the length leaves no room for a word.
    """

    def __init__(self, tokenizer: Any, max_seq_length: int, key: str):
        if not tokenizer.is_fast:
            raise ConfigError(
                f"{key}.tokenizer {tokenizer.name_or_path!r} has no fast version, which is needed "
                "for the word of each piece; choose one that has a tokenizer.json"
            )
        special = tokenizer.num_special_tokens_to_add()
        if type(max_seq_length) is not int or not (
            special < max_seq_length <= tokenizer.model_max_length
        ):
            limit = tokenizer.model_max_length
            upto = f" to {limit}, the limit of the tokenizer's model" if limit < 10**9 else ""
            raise ConfigError(
                f"{key}.max_seq_length is {max_seq_length!r}; expected a whole number from "
                f"{special + 1}{upto}"
            )
        self.tokenizer = tokenizer
        self.max_seq_length = max_seq_length
        self.vocabulary_size = len(tokenizer)
        # Padding is masked everywhere, so a tokenizer without a padding token pads with any id.
        self.pad_id: int = tokenizer.pad_token_id or 0
        # Without a separator, utterances of the context follow each other.
        self._separator: str = tokenizer.sep_token or ""
        # Identifies everything that the pieces of a segment depend on.
        described = f"{_VERSION} {max_seq_length} {tokenizer.backend_tokenizer.to_str()}"
        self.fingerprint = hashlib.sha256(described.encode()).hexdigest()

    def encode(self, words: Sequence[str]) -> WordPieces:
        """Return the word pieces of ``words``; a word may have no pieces."""
        context = context_length(words)
        text = [self._separator if word == SEPARATOR else word for word in words]
        encoding = self.tokenizer(text, is_split_into_words=True, verbose=False)
        ids = np.array(encoding["input_ids"], dtype=np.int64)
        index = np.array([-1 if i is None else i for i in encoding.word_ids()], dtype=np.int64)
        dropped = _overflow(index, self.max_seq_length, context)
        return WordPieces(np.delete(ids, dropped), np.delete(index, dropped), bool(len(dropped)))


def load_encoder(
    tokenizer: str, max_seq_length: int, key: str, tokenizer_key: str | None = None
) -> WordPieceEncoder:
    """Load an encoder with the tokenizer of a hub name or local folder.

    Args:
        tokenizer: a hub name, or a folder: absolute, or relative to the working folder or to this
            package.
        max_seq_length: see :class:`WordPieceEncoder`.
        key: the configuration section of these arguments, for messages.
        tokenizer_key: the key that sets the tokenizer, if ``tokenizer`` in that section refers to
            another one.

    Raises:
        ConfigError: the tokenizer is missing or not fast, or the length is invalid.
    """
    loaded = load_tokenizer(tokenizer, tokenizer_key or f"{key}.tokenizer")
    return WordPieceEncoder(loaded, max_seq_length, key)


def load_tokenizer(tokenizer: str, key: str) -> Any:
    """Load the tokenizer of a hub name or local folder.

    Args:
        tokenizer: as in :func:`load_encoder`.
        key: the configuration key that sets it, for messages.

    Raises:
        ConfigError: the tokenizer is missing or has no vocabulary.
    """
    from transformers import AutoTokenizer

    loaded = load_pretrained(
        AutoTokenizer.from_pretrained,
        tokenizer,
        "tokenizer",
        key,
        use_fast=True,
        # Byte-level BPE needs a space before each word; other tokenizers ignore this.
        add_prefix_space=True,
    )
    # A folder without a vocabulary gives a tokenizer with only special tokens.
    if len(loaded) <= len(loaded.all_special_ids):
        raise ConfigError(
            f"{key}: {tokenizer!r} holds no vocabulary; expected a tokenizer.json, "
            "vocab.txt or similar file there"
        )
    return loaded


def _overflow(word_index: np.ndarray, longest: int, context: int) -> np.ndarray:
    """Return the positions to drop so that ``longest`` pieces remain: whole words.

    The first ``context`` words are dropped from the front, then the others from the end.
    """
    content = np.flatnonzero(word_index >= 0)
    room = longest - (len(word_index) - len(content))
    excess = len(content) - room
    if excess <= 0:
        return content[:0]
    owners = word_index[content]
    before = int(np.count_nonzero(owners < context))
    if excess <= before:
        return content[owners <= owners[excess - 1]]
    own, owners = content[before:], owners[before:]
    keep = room
    while keep and owners[keep - 1] == owners[room]:
        keep -= 1
    return np.concatenate([content[:before], own[keep or room :]])
