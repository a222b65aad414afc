"""MMF reads typed values correctly, with any characters."""

import os
from ast import literal_eval

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config import words
from mmf_cmsbert.errors import ConfigError

_PATHS = [
    "/a: b",
    "/a: b: c/d",
    "/a=b=c",
    "/a,b",
    "/a [1]/b",
    "[a] b",
    "/it's",
    '/say "hi"',
    "/both ' and \"",
    "/#1 # 2",
    "/日本 語/é😀",
    "- a",
    "@home",
    "%d",
    "a: [",
    "*star",
    "&and",
    "!tag",
    "2024",
    "1e5",
    "true",
    "0x10",
    "2020-01-01",
    "a\\b",
    " space ",
    "(1, 2)",
    "C:\\data",
]
_KEYS = [
    "env.save_dir",
    "env.data_dir",
    "checkpoint.resume_file",
    "dataset_config.mosi.data_dir",
    "model_config.cmsbert.backbone.name",
    "dataset_config.mosi.processors.word_processor.params.tokenizer",
]


def as_mmf_reads(words_for_mmf, config):
    """Return the values that MMF 1.0.0rc10 reads from arguments, split at each '='."""
    options = OmegaConf.create(config)
    OmegaConf.from_dotlist(words_for_mmf)  # MMF also parses all of them this way, which may fail
    for word in words_for_mmf:
        key, value = word.split("=")
        OmegaConf.update(options, key, decoded(value), merge=False)
    return options


def decoded(value):
    """Do the same as MMF's `Configuration._decode_value`."""
    try:
        return None if value == "None" else literal_eval(value)
    except (ValueError, SyntaxError):
        return value


@pytest.mark.parametrize("key", _KEYS)
def test_a_path_reaches_mmf_as_it_was_typed(key):
    for path in _PATHS:
        text = words.read(key, path)
        assert text == path
        config = as_mmf_reads([words.write(key, text)], {})
        assert OmegaConf.select(config, key) == path


@pytest.mark.parametrize("path", ["/a: b", "/a: b: c/d", "/a=b", "/a b", "/é", "C:\\data", "a: 1"])
def test_a_path_in_brackets_reaches_mmf_as_it_was_typed(path):
    key = "dataset_config.mosi.annotations.train"
    config = as_mmf_reads([words.write(key, words.read(key, f"[{path}, b.pkl]"))], {})
    assert OmegaConf.select(config, key) == [path, "b.pkl"]


def test_a_quoted_path_with_any_character_can_be_in_a_list():
    key = "dataset_config.mosi.annotations.train"
    for path in _PATHS:
        typed = f"['{path.replace(chr(39), chr(39) * 2)}', plain.pkl]"
        config = as_mmf_reads([words.write(key, words.read(key, typed))], {})
        assert OmegaConf.select(config, key) == [path, "plain.pkl"]


def test_commas_and_brackets_are_part_of_a_path_that_exists(tmp_path):
    for name in ("a,b.pkl", "a]b, [c.pkl"):
        path = tmp_path / name
        path.write_text("")
        text = words.read("dataset_config.mosi.annotations.val", f"[{path}]")
        assert words.value_of(text) == [str(path)]


@pytest.mark.parametrize("typed", ["null", "~", "None"])
def test_a_path_can_be_null(typed):
    assert words.write("checkpoint.resume_file", words.read("checkpoint.resume_file", typed)) == (
        "checkpoint.resume_file=None"
    )


def test_quotes_around_a_path_are_not_part_of_it_unless_it_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words.read("env.save_dir", "'a: b'") == "a: b"
    os.mkdir("'a'")
    assert words.read("env.save_dir", "'a'") == "'a'"


@pytest.mark.parametrize(
    "typed, meant",
    [
        ("[1e-3, .5, 2]", [1e-3, 0.5, 2]),
        ("[2020-01-01]", ["2020-01-01"]),
        ("[{type: a=b, params: {weight: 0.1}}]", [{"type": "a=b", "params": {"weight": 0.1}}]),
        ("{mosi: {visual: 47}}", {"mosi": {"visual": 47}}),
        ("a: b", "a: b"),
        ("- a", "- a"),
        ("'it''s'", "it's"),
        ('"1"', "1"),
        ("48", 48),
        ("true", True),
        ("null", None),
        ("x = y", "x = y"),
        ("mosi,mosei", "mosi,mosei"),
    ],
)
def test_other_values_reach_mmf_as_yaml_means_them(typed, meant):
    word = words.write("a.key", words.read("a.key", typed))
    assert as_mmf_reads([word], {}).a.key == meant


@pytest.mark.parametrize(
    "typed", ["[" * 5000, "[a", "{a: 1", "{a: *b}", "[!!python/name:os.system]"]
)
def test_brackets_that_are_no_yaml_are_one_message(typed):
    with pytest.raises(ConfigError, match="a.key"):
        words.read("a.key", typed)


def test_bytes_that_are_no_text_are_one_message():
    with pytest.raises(ConfigError, match="UTF-8"):
        words.read("env.save_dir", os.fsdecode(b"/\xff"))
