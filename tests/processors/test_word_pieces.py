"""Conversion of words to word pieces."""

import json
import shutil

import huggingface_hub
import pytest
import transformers

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.paths import PACKAGE
from mmf_cmsbert.processors.word_pieces import WordPieceEncoder, load_encoder

DEMO = PACKAGE / "projects" / "cmsbert" / "demo"
KEY = "dataset_config.mosi.processors.word_processor.params"


@pytest.fixture(scope="module")
def tokenizer():
    return transformers.AutoTokenizer.from_pretrained(DEMO, local_files_only=True)


@pytest.fixture
def encode(tokenizer):
    def encode(words, max_seq_length=50):
        pieces = WordPieceEncoder(tokenizer, max_seq_length, KEY).encode(words)
        text = tokenizer.convert_ids_to_tokens(pieces.input_ids.tolist())
        return text, pieces.word_index.tolist(), pieces.truncated

    return encode


def test_every_piece_knows_its_word(encode):
    assert encode(["the", "fox", "was", "nice"]) == (
        ["[CLS]", "the", "f", "##o", "##x", "was", "nice", "[SEP]"],
        [-1, 0, 1, 1, 1, 2, 3, -1],
        False,
    )


def test_case_is_the_tokenizers_matter(encode):
    assert encode(["THE", "Movie"])[0] == ["[CLS]", "the", "movie", "[SEP]"]


@pytest.mark.parametrize("nothing", ["", "\u200b", "\u00ad", " "])
def test_a_word_without_pieces_leaves_the_others_aligned(encode, nothing):
    text, index, _ = encode(["the", nothing, "movie"])
    assert (text, index) == (["[CLS]", "the", "movie", "[SEP]"], [-1, 0, 2, -1])


def test_words_of_which_nothing_is_made_are_still_a_segment(encode):
    assert encode(["\u200b"]) == (["[CLS]", "[SEP]"], [-1, -1], False)


def test_text_that_fits_exactly_is_whole(encode):
    words = ["the", "fox", "was"]  # five pieces
    assert encode(words, 7)[1:] == ([-1, 0, 1, 1, 1, 2, -1], False)


@pytest.mark.parametrize(
    ("longest", "index"),
    [
        (6, [-1, 0, 1, 1, 1, -1]),
        (5, [-1, 0, -1]),  # a part of "fox" would fit
        (4, [-1, 0, -1]),
        (3, [-1, 0, -1]),
    ],
)
def test_truncation_cuts_whole_words(encode, longest, index):
    assert encode(["the", "fox", "was"], longest)[1:] == (index, True)


def test_of_a_first_word_that_is_too_long_the_first_pieces_are_kept(encode):
    text, index, truncated = encode(["foxes", "the"], 5)
    assert text == ["[CLS]", "f", "##o", "##x", "[SEP]"]
    assert index == [-1, 0, 0, 0, -1]
    assert truncated


def test_a_first_word_without_pieces_does_not_count_as_the_first(encode):
    text, index, _ = encode(["\u200b", "foxes"], 4)
    assert (text, index) == (["[CLS]", "f", "##o", "[SEP]"], [-1, 1, 1, -1])


def test_the_same_word_twice_is_two_words(encode):
    assert encode(["fox", "fox"], 7)[1] == [-1, 0, 0, 0, -1]


@pytest.mark.parametrize("longest", [2, 0, -1, 65, 12.5, "50", None, True])
def test_a_length_that_cannot_be(tokenizer, longest):
    with pytest.raises(
        ConfigError, match=r"max_seq_length is .*expected a whole number from 3 to 64"
    ):
        WordPieceEncoder(tokenizer, longest, KEY)


def test_a_tokenizer_that_is_not_fast(tokenizer, monkeypatch):
    monkeypatch.setattr(type(tokenizer), "is_fast", False)
    with pytest.raises(ConfigError, match=r"params.tokenizer .*no fast version"):
        WordPieceEncoder(tokenizer, 50, KEY)


def test_a_shipped_folder_is_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    encoder = load_encoder("projects/cmsbert/demo", 50, KEY)
    assert encoder.pad_id == 0
    assert encoder.encode(["the", "movie"]).word_index.tolist() == [-1, 0, 1, -1]


def test_byte_level_pieces_mark_the_start_of_every_word(tmp_path):
    from tokenizers import ByteLevelBPETokenizer

    bpe = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    bpe.train_from_iterator([" the movie was bad"] * 4, vocab_size=400, special_tokens=special)
    bpe.save_model(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta"}))
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "RobertaTokenizer"})
    )
    encoder = load_encoder(str(tmp_path), 50, KEY)
    pieces = encoder.encode(["the", "movie", "bad"])
    vocabulary = json.loads((tmp_path / "vocab.json").read_text())
    words = [vocabulary[word] for word in ("Ġthe", "Ġmovie", "Ġbad")]
    assert pieces.input_ids.tolist() == [vocabulary["<s>"], *words, vocabulary["</s>"]]
    assert pieces.word_index.tolist() == [-1, 0, 1, 2, -1]
    assert encoder.pad_id == vocabulary["<pad>"]


def test_a_folder_without_a_vocabulary(tmp_path):
    for name in ("config.json", "tokenizer_config.json"):
        shutil.copy(DEMO / name, tmp_path)
    with pytest.raises(ConfigError, match=r"params.tokenizer"):
        load_encoder(str(tmp_path), 50, KEY)


def test_a_folder_that_is_not_there():
    with pytest.raises(ConfigError, match=r"params.tokenizer: there is no folder /absent/bert"):
        load_encoder("/absent/bert", 50, KEY)


def test_a_name_that_cannot_be_had_asks_the_hub_once(monkeypatch):
    asked = []

    def unreachable(self, name, **kwargs):
        asked.append((name, kwargs["timeout"]))
        raise RuntimeError("Name or service not known")

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", unreachable)
    with pytest.raises(ConfigError) as error:
        load_encoder("nobody/no-such-model", 50, KEY)
    assert asked == [("nobody/no-such-model", 10)]
    message = str(error.value)
    assert "'nobody/no-such-model' could not be had in the local cache or on" in message
    assert "Name or service not known" in message
    assert f"type {KEY}.tokenizer=/path/to/folder" in message


def test_the_separator_after_the_context_is_the_tokenizers(encode):
    assert encode(["was", "[SEP]", "the", "movie"]) == (
        ["[CLS]", "was", "[SEP]", "the", "movie", "[SEP]"],
        [-1, 0, 1, 2, 3, -1],
        False,
    )


@pytest.mark.parametrize(
    ("room", "words"),
    [
        # was, [SEP], f ##o ##x, [SEP], the, movie
        (8, [0, 1, 2, 2, 2, 3, 4, 5]),
        (7, [1, 2, 2, 2, 3, 4, 5]),
        (5, [3, 4, 5]),  # whole words
        (3, [3, 4, 5]),
        (2, [4, 5]),
        (1, [4]),  # only now the end
    ],
)
def test_the_context_is_cut_before_the_segment_and_from_its_oldest_word(encode, room, words):
    text = ["was", "[SEP]", "fox", "[SEP]", "the", "movie"]
    assert encode(text, room + 2)[1:] == ([-1, *words, -1], room < 8)
