"""Settings that a network cannot follow are refused by name."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.settings import KEYS, NetworkSettings
from mmf_cmsbert.paths import PACKAGE

SHIFTS = "one of utterance, word, none, or a shift that the package in env.user_dir registers"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("shift_context", "sentence", SHIFTS),
        ("shift_context", ["word"], SHIFTS),
        ("shift_beta", -1.0, "a number above 0"),
        ("shift_beta", "1", "a number above 0"),
        ("shift_beta", float("nan"), "a number above 0"),
        ("shift_gate", "softmax", "one of relu, sigmoid"),
        ("shift_gate", ["relu"], "one of relu, sigmoid"),
        ("shift_dropout", 1.0, "a number from 0 to below 1"),
        ("pooling", "max", "one of cls, mean, attention"),
        ("length_groups", 0, "auto, packed, or a whole number, at least 1"),
        ("length_groups", True, "auto, packed, or a whole number, at least 1"),
        ("length_groups", "all", "auto, packed, or a whole number, at least 1"),
        ("frame_dim", 0, "a whole number, at least 1"),
        ("frame_layers", 1.5, "a whole number, at least 0"),
        ("classes", 3, "one of None, 2, 7"),
        ("text_state", None, "one of fused, verbal"),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected(field, value, expected):
    with pytest.raises(ConfigError) as error:
        NetworkSettings(**{field: value})
    key = f"model_config.cmsbert.{KEYS[field]}"
    assert str(error.value) == f"{key} is {value!r}; expected {expected}"


def test_heads_must_divide_the_frames_width():
    with pytest.raises(ConfigError, match=r"frames\.dim is 10.*frames\.heads \(4\)"):
        NetworkSettings(frame_dim=10)


def test_the_defaults_are_those_that_the_shipped_configuration_states():
    shipped = OmegaConf.load(PACKAGE / "configs/models/cmsbert/defaults.yaml").model_config.cmsbert
    for name, field in NetworkSettings.__dataclass_fields__.items():
        assert OmegaConf.select(shipped, KEYS[name]) == field.default


@pytest.mark.parametrize(
    ("context", "start", "expected"),
    [
        ("utterance", "auto", "identity"),
        ("word", "auto", "mag"),
        ("utterance", "mag", "mag"),
        ("word", "identity", "identity"),
    ],
)
def test_a_shift_begins_as_the_identity_unless_it_is_mags(context, start, expected):
    settings = NetworkSettings(shift_context=context, shift_start=start)
    assert settings.shift_start == expected


def test_every_field_has_the_name_that_users_know():
    assert set(KEYS) == set(NetworkSettings.__dataclass_fields__)
