"""The processor ``word_pieces``, registered with MMF."""

from collections.abc import Mapping
from typing import Any

from mmf.common.registry import registry
from mmf.datasets.processors.processors import BaseProcessor
from omegaconf import OmegaConf

from mmf_cmsbert.config import references
from mmf_cmsbert.config.schemas.processors import WordPiecesConfig
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.processors.word_pieces import load_encoder


@registry.register_processor("word_pieces")
class WordPieceProcessor(BaseProcessor):
    """Cuts words into word pieces with any fast tokenizer.

    Takes ``{"words": [...]}`` and returns ``input_ids`` and ``word_index``, int64 arrays
    ``(pieces,)``, and ``truncated``; see :class:`~mmf_cmsbert.processors.word_pieces.WordPieces`.

    Args:
        config: ``tokenizer`` (default bert-base-uncased) and ``max_seq_length`` (default 50).
        key: the configuration section of ``config``, for messages.

    Raises:
        ConfigError: a key is unknown, or the tokenizer is missing.
    """

    config_schema = WordPiecesConfig

    def __init__(self, config: Mapping[str, Any], *args: Any, key: str = "params", **kwargs: Any):
        super().__init__(config, *args, **kwargs)
        params = read(WordPiecesConfig, OmegaConf.to_container(config, resolve=True), key)
        origin = _origin(f"{key}.tokenizer", params.tokenizer)
        self._encoder = load_encoder(**params.plain(), key=key, tokenizer_key=origin)
        self.pad_id = self._encoder.pad_id
        self.max_seq_length = self._encoder.max_seq_length
        self.vocabulary_size = self._encoder.vocabulary_size
        self.fingerprint = self._encoder.fingerprint

    def __call__(self, item: Mapping[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        pieces = self._encoder.encode(item["words"])
        return {
            "input_ids": pieces.input_ids,
            "word_index": pieces.word_index,
            "truncated": pieces.truncated,
        }


def _origin(key: str, value: Any) -> str:
    """Return the key that sets ``key``: recipes take the tokenizer from the backbone's name."""
    config = registry.get("config", no_warning=True)
    # The processor's configuration may differ from that of the last run in this process.
    if config is None or OmegaConf.select(config, key) != value:
        return key
    return references.origin(config, key)
