"""Arguments of the command line are parsed and checked."""

from ast import literal_eval

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config import overrides
from mmf_cmsbert.errors import ConfigError

CONFIG = OmegaConf.create(
    {
        "training": {"seed": 1, "batch_size": 48},
        "model_config": {"cmsbert": {"losses": [{"type": "a", "params": {"weight": 0.1}}]}},
        "optimizer": {},
    }
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("[text, visual]", ["text", "visual"]),
        ("[[text, visual]]", [["text", "visual"]]),
        ("{a: 1}", {"a": 1}),
        ("1e-5", 1e-5),
        ("48", 48),
    ],
)
def test_values_are_yaml_and_reach_mmf_in_pythons_spelling(typed, meant):
    # MMF parses a value with literal_eval, except for None.
    value = overrides.parse([f"key={typed}"])["key"]
    assert (None if value == "None" else literal_eval(value)) == meant


@pytest.mark.parametrize("typed", ["bert-base-uncased", "mosi,mosei", "/dev.pkl", ""])
def test_plain_words_stay_as_they_are(typed):
    assert overrides.parse([f"key={typed}"]) == {"key": typed}


def test_the_older_alternating_form_is_read():
    assert overrides.parse(["model", "cmsbert", "training.seed", "2"]) == {
        "model": "cmsbert",
        "training.seed": "2",
    }


@pytest.mark.parametrize("words", [["a=1", "b"], ["--model=a", "b=1"], ["model"], ["a=[1"]])
def test_what_is_no_option_is_refused(words):
    with pytest.raises(ConfigError):
        overrides.parse(words)


def test_a_section_is_not_both_removed_and_changed():
    words = ["dataset_config.mosi.synthetic=null", "dataset_config.mosi.synthetic.train=16"]
    with pytest.raises(ConfigError, match="synthetic=null removes the section .* remove one"):
        overrides.parse(words)
    assert overrides.parse(["a.b=null", "a.bc.d=1", "a.c=2"])


def test_known_keys_pass_also_into_lists():
    overrides.check(
        {"training.seed": "2", "model_config.cmsbert.losses[0].params.weight": "0"}, CONFIG
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "training.batchsize",
            "training.batchsize is not a known key. Did you mean training.batch_size?",
        ),
        ("trainig.seed", "trainig is not a known key. Did you mean training?"),
        ("training.seed.x", "training.seed has a value and no keys"),
        ("training.zzz", "training.zzz is not a known key. Known keys: seed, batch_size"),
        ("model_config.cmsbert.losses[1].type", r"there is no item \[1\]"),
        ("training", "is a section; name a key in it: training.seed"),
    ],
)
def test_unknown_keys_are_named_with_what_there_is(option, message):
    with pytest.raises(ConfigError, match=message):
        overrides.check({option: "1"}, CONFIG)


def test_a_modality_can_be_added_on_the_command_line():
    config = OmegaConf.create({"dataset_config": {"mosi": {"features": {"visual": 47}}}})
    typed = {"dataset_config.mosi.features.gaze": "4", "dataset_config.mosi.features.visual": "35"}
    added = {"dataset_config": {"mosi": {"features": {"gaze": 4}}}}
    assert overrides.added(typed, config) == added
    assert overrides.added({"dataset_config.mosi.feature.gaze": "4"}, config) == {}
