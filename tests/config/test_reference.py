"""``--help-config`` explains sections and keys."""

import pytest

from mmf_cmsbert.config import reference
from mmf_cmsbert.errors import ConfigError


def test_a_key_is_explained_with_its_values_default_and_help():
    text = reference.describe("model_config.cmsbert.shift.beta")
    head, *explained = text.splitlines()
    assert head == "model_config.cmsbert.shift.beta: a number above 0; default 1.0"
    assert "norm of the displacement" in " ".join(explained)


def test_a_section_is_explained_with_all_its_keys():
    text = reference.describe("model_config.cmsbert.shift")
    for key in ("context", "layer", "beta", "dropout", "gate", "start"):
        assert f"\nmodel_config.cmsbert.shift.{key}: " in text
    assert "cmsbert.frames" not in text


def test_without_a_key_the_sections_are_listed():
    listed = reference.describe(None)
    for name in ("model_config.cmsbert", "dataset_config.mosei", "training", "losses."):
        assert name in listed


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("model_config.cmsbert.shift.contxt", "model_config.cmsbert.shift.context"),
        ("beta", "model_config.cmsbert.shift.beta"),
        ("shift.gate", "model_config.cmsbert.shift.gate"),
        ("training.lightning.device", "training.lightning.devices"),
        ("trainng", "training"),
    ],
)
def test_a_wrong_key_gets_the_nearest_ones(key, meant):
    with pytest.raises(ConfigError, match=rf"--help-config {key}: there is no such key.*{meant}"):
        reference.describe(key)


def test_keys_of_the_installed_mmf_are_explained_by_their_defaults():
    pytest.importorskip("mmf")
    assert reference.describe("training.trainer").startswith("training.trainer: a value; default ")
    seed = reference.describe("training.seed").splitlines()[0]
    assert seed == "training.seed: a whole number from -1 to 4294967295, or null; default -1"
