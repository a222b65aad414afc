"""``model_config.cmsbert``: invalid keys and values are refused by name."""

import pytest

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.errors import ConfigError

KEY = "model_config.cmsbert"


def nested(key, value):
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def refusal(given):
    with pytest.raises(ConfigError) as error:
        read(CMSBERTConfig, given, KEY)
    return str(error.value)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("shift.context", ["word"], "utterance, word, none, or a shift registered by"),
        ("shift.beta", -1.0, "a number above 0"),
        ("shift.beta", "1", "a number above 0"),
        ("shift.beta", float("nan"), "a number above 0"),
        ("shift.gate", "softmax", "one of relu, sigmoid"),
        ("shift.gate", ["relu"], "one of relu, sigmoid"),
        ("shift.dropout", 1.0, "a number from 0 to below 1"),
        ("shift.layer", -1, "a whole number, at least 0"),
        ("backbone.pooling", "max", "one of cls, mean, attention"),
        ("backbone.length_groups", 0, "auto, packed, or a whole number, at least 1"),
        ("backbone.length_groups", True, "auto, packed, or a whole number, at least 1"),
        ("backbone.length_groups", "all", "auto, packed, or a whole number, at least 1"),
        ("frames.dim", 0, "a whole number from 1 to 4096"),
        ("frames.layers", 1.5, "a whole number from 0 to 128"),
        ("frames.heads", 10**20, "a whole number from 1 to 4096"),
        ("contrastive.dim", 10**9, "a whole number from 1 to 16384"),
        ("contrastive.text_state", None, "one of fused, verbal"),
        ("contrastive.temperature", "warm", "a number above 0"),
        ("contrastive.temperature", None, "a number above 0"),
        ("contrastive.temperature", float("nan"), "a number above 0"),
        ("contrastive.temperature_range", [0, 0.5], "two numbers above 0, as in [0.01, 0.5]"),
        (
            "contrastive.pairs",
            [["text", "text"]],
            "pairs of modalities, as in",
        ),
        ("ema.decay", 1, "a number from 0 to below 1"),
        ("ema.enabled", "yes", "true or false"),
        ("head.classes", 3, "one of 2, 7, or null"),
        ("modalities", [], "a list such as [text, visual], or null"),
        ("features", [], "the width of each dataset's frames, as in"),
        ("finetune_lr_multiplier", -1, "a number, at least 0 (0 freezes the backbone)"),
        ("losses", "l1", "a list of losses"),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected(key, value, expected):
    message = refusal(nested(key, value))
    assert message.startswith(f"{KEY}.{key} is {value!r}; expected {expected}")


def test_a_message_says_what_could_be_typed():
    message = refusal({"shift": {"beta": 0}})
    assert message.endswith("expected a number above 0, as in model_config.cmsbert.shift.beta=1.0")


def test_all_wrong_keys_and_values_are_named_together():
    lines = refusal({"shift": {"contxt": "word", "beta": 0}, "ema": 3}).splitlines()
    assert lines[0] == "3 keys or values are wrong:"
    assert f"{KEY}.shift.contxt is not a known key. Did you mean {KEY}.shift.context?" in lines[2]
    assert f"{KEY}.shift.beta is 0" in lines[1]
    assert f"{KEY}.ema is 3; expected a section with the keys enabled, decay, warm_up" in lines[3]


def test_heads_must_divide_the_frames_width():
    message = refusal({"frames": {"dim": 10}})
    assert f"frames.dim is 10; expected a multiple of {KEY}.frames.heads, here 4" in message


@pytest.mark.parametrize("start", [0.7, 0.001])
def test_a_temperature_outside_its_range_is_refused(start):
    message = refusal({"contrastive": {"temperature": start}})
    assert f"{KEY}.contrastive.temperature is {start}; expected a number within" in message
    assert f"{KEY}.contrastive.temperature_range, here [0.01, 0.5]" in message


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kin": "l1"}, "losses[1].params.kin is not a known key. Did you mean"),
        ({"kind": "l3"}, "losses[1].params.kind is 'l3'; expected one of l1, mse, smooth_l1"),
        (3, "losses[1].params is 3; expected a section with the keys kind"),
    ],
)
def test_params_of_losses_are_checked_with_their_place(params, message):
    losses = [{"type": "anothers", "params": {"its": 1}}]
    losses.append({"type": "sentiment_regression", "params": params})
    assert f"{KEY}.{message}" in refusal({"losses": losses})


def test_keys_that_mmf_adds_pass():
    given = {"model": "cmsbert", "zoo_requirements": [], "modalities": "text,visual"}
    assert read(CMSBERTConfig, given, KEY).modalities == ["text", "visual"]
