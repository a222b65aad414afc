"""The word-piece processor, built by MMF."""

import pytest

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.datasets.processors.processors import Processor
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError

DEMO = "projects/cmsbert/demo"


def make(**params):
    return Processor(OmegaConf.create({"type": "word_pieces", "params": params}), data_dir="/data")


def test_words_in_word_pieces_out():
    processor = make(tokenizer=DEMO, max_seq_length=5)
    pieces = processor({"words": ["the", "fox", "was"]})
    assert pieces["word_index"].tolist() == [-1, 0, -1]
    assert len(pieces["input_ids"]) == 3
    assert pieces["truncated"]
    assert (processor.pad_id, processor.max_seq_length) == (0, 5)


def test_fifty_pieces_by_default():
    assert make(tokenizer=DEMO).max_seq_length == 50


def test_an_unknown_parameter():
    with pytest.raises(ConfigError, match="max_length is not a known key. Did you mean"):
        make(tokenizer=DEMO, max_length=5)
