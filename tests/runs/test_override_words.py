"""Overrides in Python containers are converted to the arguments that a user would type."""

from pathlib import Path

import numpy as np
import pytest

from mmf_cmsbert.config import overrides
from mmf_cmsbert.config.words import option_value
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.runs.override_words import words_of


@pytest.mark.parametrize(
    ("given", "key", "value"),
    [
        ({"training.seed": 2}, "training.seed", 2),
        ({"training": {"early_stop": {"enabled": False}}}, "training.early_stop.enabled", False),
        ({"optimizer.params.lr": 1e-5}, "optimizer.params.lr", 1e-5),
        ({"optimizer.params.lr": np.float32(0.5)}, "optimizer.params.lr", 0.5),
        ({"training.max_updates": None}, "training.max_updates", None),
        ({"env": {"data_dir": Path("/data/a b=c")}}, "env.data_dir", "/data/a b=c"),
        ({"training.experiment_name": "a: b"}, "training.experiment_name", "a: b"),
        ({"training.experiment_name": "true"}, "training.experiment_name", "true"),
        ({"training.experiment_name": "17"}, "training.experiment_name", "17"),
        ({"m.modalities": ("text", "visual")}, "m.modalities", ["text", "visual"]),
        ({"m.losses": [{"type": "a", "params": {}}]}, "m.losses", [{"type": "a", "params": {}}]),
        ({"d.synthetic": {"seed": 1, "train": 8}}, "d.synthetic", {"seed": 1, "train": 8}),
    ],
)
def test_a_value_is_read_as_it_was_given(given, key, value):
    options = overrides.parse(words_of(given))
    assert {name: option_value(name, text) for name, text in options.items()} == {key: value}


def test_words_stay_as_they_are():
    assert words_of(["training.seed=2"]) == ["training.seed=2"] and words_of(None) == []


@pytest.mark.parametrize("given", ["training.seed=2", [3], {"training.seed": object()}])
def test_anything_else_is_named(given):
    with pytest.raises(ConfigError, match="expected a mapping|expected what YAML holds"):
        words_of(given)
