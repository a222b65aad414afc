"""Unknown configuration keys."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config_check import check_keys
from mmf_cmsbert.errors import ConfigError

KNOWN = {
    "layout": "auto",
    "annotations": {"train": [], "val": []},
    "processors": {"word_processor": {"type": "word_pieces", "params": {"tokenizer": "x"}}},
    "synthetic": None,
}


@pytest.mark.parametrize("make", [dict, OmegaConf.create])
def test_known_keys_pass_at_every_depth(make):
    check_keys(
        make({"layout": "misa", "annotations": {"val": ["a"]}}), KNOWN, "dataset_config.mosi"
    )


def test_an_unknown_key_is_named_with_the_close_one_and_all_known():
    with pytest.raises(ConfigError) as error:
        check_keys({"annotations": {"trian": []}}, KNOWN, "dataset_config.mosi")
    message = str(error.value)
    assert "dataset_config.mosi.annotations.trian is not a known key" in message
    assert "Did you mean dataset_config.mosi.annotations.train?" in message
    assert "Known keys: train, val" in message


def test_without_a_close_key_none_is_guessed():
    with pytest.raises(ConfigError) as error:
        check_keys({"colour": 1}, KNOWN, "dataset_config.mosi")
    assert "Did you mean" not in str(error.value)


def test_free_sections_take_any_key():
    given = {"processors": {"word_processor": {"params": {"anything": 1}}}, "synthetic": {"x": 1}}
    check_keys(given, KNOWN, "dataset_config.mosi", free=("processors.*.params", "synthetic"))
    with pytest.raises(ConfigError, match="params.anything"):
        check_keys(given, KNOWN, "dataset_config.mosi", free=("synthetic",))


@pytest.mark.parametrize("value", [None, "train.pkl", ["train.pkl"], 3])
def test_a_value_in_place_of_a_section_is_an_error(value):
    with pytest.raises(
        ConfigError, match="annotations is .*expected a section with the keys train"
    ):
        check_keys({"annotations": value}, KNOWN, "dataset_config.mosi")
