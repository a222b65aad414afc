"""The sections of MMF to which this package adds keys."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config.schemas.added import completed
from mmf_cmsbert.config.schemas.training import Evaluation, LightningConfig, Training
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.config.shipped import own_defaults
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.paths import PACKAGE

KEY = "training.lightning"


def lightning(**changes):
    return read(LightningConfig, {"progress_bar": "auto"} | changes, KEY)


def training(**changes):
    defaults = {"max_updates": 10, "max_epochs": None, "lr_ratio": 0.1, "fast_read": False}
    schema = completed(Training, defaults | {"log_level": "info", "lr_steps": [], "warmup": 7})
    return read(schema, {"max_updates": 10} | changes, "training")


def test_the_recipes_say_what_holds_without_them():
    recipes = OmegaConf.load(PACKAGE / "projects" / "cmsbert" / "common.yaml")
    expected = own_defaults()["training"]["lightning"]
    assert OmegaConf.to_container(recipes.training.lightning) == expected


@pytest.mark.parametrize(
    ("typed", "meant"), [(True, True), ("true", True), ("False", False), ("auto", "auto")]
)
def test_progress_bars_are_switched_by_words_or_values(typed, meant):
    assert lightning(progress_bar=typed).progress_bar is meant or meant == "auto"


@pytest.mark.parametrize(
    ("precision", "meant"), [("bf16", "bf16"), ("16", "fp16"), (32, "fp32"), (None, None)]
)
def test_values_may_be_written_as_people_do(precision, meant):
    settings = lightning(precision=precision, devices=[0, 1])
    assert settings.precision == meant
    assert settings.devices == [0, 1]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("precision", 8),
        ("accumulate_grad_batches", 0),
        ("accumulate_grad_batches", 2**16 + 1),
        ("devices", "none"),
        ("devices", 0),
        ("devices", []),
        ("devices", 1025),
        ("num_nodes", 1.5),
        ("strategy", "fsdp"),
        ("progress_bar", "yes"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(key, value):
    with pytest.raises(ConfigError, match=rf"{KEY}.{key} is .*; expected"):
        lightning(**{key: value})


def test_a_misspelt_key_is_refused():
    with pytest.raises(ConfigError, match=f"Did you mean {KEY}.precision"):
        lightning(precisoin=16)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("batch_size", "many", "a whole number from 1 to 65536"),
        ("batch_size", 2.5, "a whole number from 1 to 65536"),
        ("batch_size", 0, "a whole number from 1 to 65536"),
        ("batch_size", 10**20, "a whole number from 1 to 65536"),
        ("seed", True, "a whole number from -1 to 4294967295"),
        ("seed", -2, "a whole number from -1 to 4294967295"),
        ("evaluation_interval", 0, "a whole number from 1 to 1000000000"),
        ("num_workers", 257, "a whole number from 0 to 256"),
        ("max_grad_l2_norm", float("inf"), "a number from 0 to 1000000000"),
        ("max_updates", 0, "a whole number from 1 to 1000000000"),
        ("precision", "fp8", "one of fp32, tf32, bf16, fp16"),
        # a key of MMF: the type of its default
        ("lr_ratio", "fast", "a number"),
        ("fast_read", "fasle", "true or false"),
        ("fast_read", 1, "true or false"),
        ("warmup", 0.5, "a whole number"),
    ],
)
def test_values_of_training_are_of_their_kind_and_within_their_range(key, value, expected):
    with pytest.raises(ConfigError) as error:
        training(**{key: value})
    assert f"training.{key} is {value!r}; expected {expected}" in str(error.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("batch_size", 2**16), ("seed", -1), ("lr_ratio", 1), ("lr_ratio", None), ("log_level", 3)],
)
def test_ends_of_ranges_other_numbers_and_null_pass(key, value):
    assert getattr(training(**{key: value}), key) == value


def test_a_run_without_a_length_is_refused_with_what_to_type():
    with pytest.raises(ConfigError, match="both null; type training.max_updates=NUMBER"):
        training(max_updates=None)


@pytest.mark.parametrize("value", [0, -1, 2.5, "ten", True])
@pytest.mark.parametrize("key", ["max_updates", "max_epochs"])
def test_a_length_is_a_whole_number_of_at_least_one(key, value):
    with pytest.raises(ConfigError, match=f"training.{key} is {value!r}; expected a whole number"):
        training(**{key: value})


@pytest.mark.parametrize("value", ["xlsx", "CSV", ["csv"], True])
def test_an_unknown_format_of_predictions_is_refused_with_the_known_ones(value):
    schema = completed(Evaluation, {"predict_file_format": "json"})
    with pytest.raises(ConfigError, match=r"predict_file_format is .*expected one of csv, json"):
        read(schema, {"predict_file_format": value}, "evaluation")
    assert read(schema, {"predict_file_format": "csv"}, "evaluation").predict_file_format == "csv"
