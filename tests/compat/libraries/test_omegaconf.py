import copy
import pickle

import pytest
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, KeyValidationError


@pytest.fixture
def mmfs_config(mmf):
    """Return a config created by MMF's code."""
    from mmf.utils import configuration

    return configuration.OmegaConf.create({"a": {"b": 1, "none": None}, "list": [{"c": 2}]})


def test_a_missing_key_of_mmfs_configs_is_none(mmfs_config):
    assert mmfs_config.missing is None
    assert mmfs_config["missing"] is None
    assert mmfs_config.a.missing is None
    assert mmfs_config.list[0].missing is None
    assert getattr(mmfs_config, "missing", 3) is None
    assert "missing" not in mmfs_config
    assert mmfs_config.get("missing", 3) == 3


def test_a_default_stands_in_for_none(mmfs_config):
    assert mmfs_config.a.get("none", 3) == 3
    assert mmfs_config.a.get("none") is None


def test_copies_and_merges_inherit_it(mmfs_config):
    merged = OmegaConf.merge(mmfs_config, {"a": {"d": 1}})
    for config in (merged, copy.deepcopy(mmfs_config), pickle.loads(pickle.dumps(mmfs_config))):
        assert config.missing is None and config.a.missing is None
    mmfs_config.new = {"x": {"y": 1}}
    assert mmfs_config.new.x.y == 1 and mmfs_config.new.x.missing is None


def test_struct_mode_still_raises(mmfs_config):
    OmegaConf.set_struct(mmfs_config, True)
    with pytest.raises(ConfigAttributeError):
        _ = mmfs_config.a.missing
    with pytest.raises(ConfigKeyError):
        _ = mmfs_config["missing"]
    with pytest.raises(ConfigAttributeError):
        mmfs_config.missing = 1
    assert not hasattr(mmfs_config, "missing")
    assert getattr(mmfs_config, "missing", 3) == 3


def test_configs_of_others_raise_as_ever(mmf):
    config = OmegaConf.create({"a": None})
    with pytest.raises(ConfigAttributeError):
        _ = config.missing
    with pytest.raises(ConfigKeyError):
        _ = config["missing"]
    assert not hasattr(config, "missing") and not hasattr(config, "pretty")
    assert config.get("a", 3) is None
    with pytest.raises(KeyValidationError):
        _ = config[[1]]


def test_mmfs_code_may_read_configs_of_others(mmf):
    from mmf.models.base_model import BaseModel
    from mmf.modules import encoders

    from mmf_cmsbert.compat.mmf.line import is_main

    config = OmegaConf.create({"zoo_requirements": None})
    BaseModel(config).load_requirements(*[config] * is_main())
    encoder = encoders.ImageEncoderFactory if is_main() else encoders.ImageEncoder
    with pytest.raises(NotImplementedError, match="Unknown Image Encoder: None"):
        encoder(OmegaConf.create({"params": {"in_dim": 3}}))


def test_python_s_own_questions_are_not_answered(mmfs_config):
    for name in ("__members__", "__array__", "__wrapped__"):
        assert not hasattr(mmfs_config, name)


def test_pretty_is_the_yaml(mmfs_config):
    mmfs_config.ref = "${a.b}"
    assert OmegaConf.create(mmfs_config.pretty(resolve=True)).ref == 1
    assert "${a.b}" in mmfs_config.pretty()


def test_mmf_leaves_the_resolvers_of_others(mmf):
    from mmf.utils.configuration import Configuration

    OmegaConf.register_resolver("of_another_library", lambda: 3, replace=True)
    try:
        Configuration()
        Configuration()
        assert OmegaConf.create({"x": "${of_another_library:}"}).x == 3
        assert OmegaConf.create({"x": "${device_count:}"}).x >= 1
    finally:
        OmegaConf.clear_resolver("of_another_library")


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("${env:MMF_TEST_VARIABLE, ./save}", None, "./save"),
        ("${env:MMF_TEST_VARIABLE,configs/zoo/models.yaml}", None, "configs/zoo/models.yaml"),
        ("${env:MMF_TEST_VARIABLE,}", None, ""),
        ("${env:MMF_TEST_VARIABLE,x}", "a, b", "a, b"),
        ("${env:MMF_TEST_VARIABLE}", "12", 12),
        ("${env:MMF_TEST_VARIABLE}", "1e-3", 0.001),
        ("${env:MMF_TEST_VARIABLE}", "True", True),
    ],
)
def test_env_reads_the_environment(mmf, monkeypatch, text, value, expected):
    monkeypatch.delenv("MMF_TEST_VARIABLE", raising=False)
    if value is not None:
        monkeypatch.setenv("MMF_TEST_VARIABLE", value)
    assert OmegaConf.create({"x": text}).x == expected


def test_env_without_value_and_default_raises(mmf, monkeypatch):
    monkeypatch.delenv("MMF_TEST_VARIABLE", raising=False)
    config = OmegaConf.create({"x": "${env:MMF_TEST_VARIABLE}"})
    with pytest.raises(Exception, match="MMF_TEST_VARIABLE"):
        _ = config.x


def test_all_of_mmfs_defaults_resolve(mmf, monkeypatch):
    from mmf.common.registry import registry
    from mmf.utils.configuration import Configuration, load_yaml

    monkeypatch.delenv("MMF_SAVE_DIR", raising=False)
    parts = [Configuration().get_config()]
    for kind in ("model", "builder"):
        for cls in registry.mapping[f"{kind}_name_mapping"].values():
            if cls.__module__.startswith("mmf.") and cls.config_path() is not None:
                parts.append(load_yaml(cls.config_path()))
    config = OmegaConf.merge(*parts)
    assert isinstance(config, DictConfig)
    assert OmegaConf.to_container(config, resolve=True)["env"]["save_dir"] == "./save"
