"""Words of Chinese and mixed text, from files and through a Chinese tokenizer."""

import json
import pickle

import numpy as np
import pytest
from transformers import BertTokenizerFast
from written_layouts import mmsa_split

from mmf_cmsbert.datasets.readers.chinese import words_of
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.predictor.inputs import as_segment
from mmf_cmsbert.processors.word_pieces import WordPieceEncoder

TEXT = "我昨天在iPhone12上看了2020年的电影,very good！太棒了"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("我很高兴", ["我", "很", "高", "兴"]),
        ("你好。", ["你", "好", "。"]),
        ("好！！！真的？", ["好", "！！！", "真", "的", "？"]),
        ("他说:“走吧”。", ["他", "说", ":“", "走", "吧", "”。"]),
        ("2020年3月", ["2020", "年", "3", "月"]),
        ("OK的", ["OK", "的"]),
        ("用 iPhone 拍照", ["用", "iPhone", "拍", "照"]),
        ("我昨天看了一部电影 非常好", list("我昨天看了一部电影非常好")),
        ("我 昨天 看 了 电影 ， 非常 好", ["我", "昨天", "看", "了", "电影", "，", "非常", "好"]),
        ("一心一意 的 人", ["一心一意", "的", "人"]),
        ("𠮷野家", ["𠮷", "野", "家"]),
        ("葛\U000e0100城", ["葛\U000e0100", "城"]),
        ("人々", ["人", "々"]),
        ("a  very\tgood film", ["a", "very", "good", "film"]),
        ("좋은 영화", ["좋은", "영화"]),
        ("", []),
        (" \u3000 ", []),
    ],
)
def test_words_of_chinese_mixed_and_other_text(text, words):
    assert words_of(text) == words


def test_nothing_but_spaces_is_lost():
    assert "".join(words_of(TEXT)) == TEXT.replace(" ", "")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    """A tokenizer of the form of bert-base-chinese: its pieces are characters and a few words."""
    pieces = [*"我昨天在上看了年的电影太棒,！", *"0123456789", "very", "good", "iphone"]
    pieces += [f"##{each}" for each in "0123456789"]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces]
    file = tmp_path_factory.mktemp("chinese") / "vocab.txt"
    file.write_text("\n".join(vocabulary), encoding="utf-8")
    return BertTokenizerFast(str(file))


def test_each_piece_belongs_to_its_character(tokenizer):
    words = words_of(TEXT)
    found = WordPieceEncoder(tokenizer, 50, "key").encode(words)
    pieces = tokenizer.convert_ids_to_tokens(found.input_ids.tolist())
    joined = [""] * len(words)
    for piece, index in zip(pieces, found.word_index.tolist(), strict=True):
        if index >= 0:
            joined[index] += piece.removeprefix("##")
    assert joined == [word.lower() for word in words]
    # The pieces are those of the text as a whole: cutting it into characters changes none.
    assert found.input_ids.tolist() == tokenizer(TEXT)["input_ids"]


def test_a_long_text_loses_characters_and_not_all_its_text(tokenizer):
    found = WordPieceEncoder(tokenizer, 6, "key").encode(words_of("我昨天看了电影"))
    assert found.truncated
    assert found.word_index.tolist() == [-1, 0, 1, 2, 3, -1]


def test_files_and_predictor_cut_alike(tmp_path):
    segment = Segment(
        "a$_$1", "a", ("x",), {"visual": np.ones((2, 3)), "acoustic": np.ones((3, 2))}, 0.5
    )
    fields = mmsa_split([segment], lengths=True) | {"raw_text": [TEXT]}
    splits = {"train": fields, "valid": fields, "test": fields}
    (tmp_path / "sims.pkl").write_bytes(pickle.dumps(splits))
    (tmp_path / "segments.jsonl").write_text(
        json.dumps({"id": "a", "text": TEXT, "label": 0.5}), encoding="utf-8"
    )
    (of_mmsa,) = read_files([tmp_path / "sims.pkl"], "train")
    (of_list,) = read_files([tmp_path / "segments.jsonl"], "train")
    assert of_mmsa.words == of_list.words == as_segment(TEXT).words == tuple(words_of(TEXT))


def test_given_words_are_not_cut_again(tmp_path):
    row = {"id": "a", "words": ["我", "很高兴见到你"], "label": 0.5}
    (tmp_path / "segments.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (found,) = read_files([tmp_path / "segments.jsonl"], "train")
    assert found.words == ("我", "很高兴见到你")
