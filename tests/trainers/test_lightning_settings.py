"""The section training.lightning says what is wrong with it."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError

pytest.importorskip("mmf")

from mmf_cmsbert.compat.mmf.both import defaults as mmf_defaults  # noqa: E402
from mmf_cmsbert.paths import PACKAGE  # noqa: E402
from mmf_cmsbert.trainers.lightning_settings import DEFAULTS, LightningSettings  # noqa: E402


def section(**changes):
    defaults = OmegaConf.merge(OmegaConf.create(mmf_defaults.DEFAULTS), OmegaConf.create(DEFAULTS))
    defaults.training.lightning.update(changes)
    return defaults.training.lightning


def test_the_recipes_say_what_holds_without_them():
    recipes = OmegaConf.load(PACKAGE / "projects" / "cmsbert" / "common.yaml")
    assert recipes.training.lightning == section()


@pytest.mark.parametrize("value", [True, "true", False, "auto"])
def test_progress_bars_are_those_of_all_trainers_unless_it_says_otherwise(value):
    common = section()
    common._get_root().training.progress_bar = value
    expected = {"auto": None}.get(value, str(value).lower() == "true")
    assert LightningSettings.read(common).progress_bar is expected
    assert LightningSettings.read(section(progress_bar=False)).progress_bar is False


@pytest.mark.parametrize(
    ("precision", "meant"), [("bf16", "bf16"), ("16", "fp16"), (32, "fp32"), (None, None)]
)
def test_values_may_be_written_as_people_do(precision, meant):
    settings = LightningSettings.read(section(precision=precision, devices=[0, 1]))
    assert settings.precision == meant
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
