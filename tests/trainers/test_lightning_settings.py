"""The section training.lightning says what is wrong with it."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError

pytest.importorskip("mmf")

from mmf_cmsbert.paths import PACKAGE  # noqa: E402
from mmf_cmsbert.trainers.lightning_settings import DEFAULTS, LightningSettings  # noqa: E402


def section(**changes):
    return OmegaConf.merge(OmegaConf.create(DEFAULTS).training.lightning, changes)


def test_the_recipes_say_what_holds_without_them():
    recipes = OmegaConf.load(PACKAGE / "projects" / "cmsbert" / "common.yaml")
    assert recipes.training.lightning == section()


@pytest.mark.parametrize("precision", ["bf16", "16", 32])
def test_values_may_be_written_as_people_do(precision):
    settings = LightningSettings.read(section(precision=precision, devices=[0, 1]))
    assert settings.precision in ("bf16-mixed", "16-mixed", "32-true")
    assert settings.devices == [0, 1]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("precision", 8),
        ("accumulate_grad_batches", 0),
        ("devices", "none"),
        ("devices", 0),
        ("devices", []),
        ("num_nodes", 1.5),
        ("strategy", "fsdp"),
        ("progress_bar", "yes"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(key, value):
    with pytest.raises(ConfigError, match=rf"training.lightning.{key} is .*; expected"):
        LightningSettings.read(section(**{key: value}))


def test_a_misspelt_key_is_refused():
    with pytest.raises(ConfigError, match="Did you mean training.lightning.precision"):
        LightningSettings.read(section(precisoin=16))
