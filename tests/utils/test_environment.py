"""Files contain references to environment variables instead of their values."""

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.utils.environment import with_references, with_values, without_values


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    import mmf_cmsbert.compat as compat

    compat.activate()  # rc10's resolver env
    monkeypatch.setenv("SECRET", "hunter2")
    monkeypatch.setenv("MMF_DATA_DIR", "/data")


WRITTEN = {
    "direct": "${oc.env:SECRET}",
    "of_rc10": "${env:SECRET}",
    "with_default": "${oc.env:SECRET,none}",
    "quoted": "${ oc.env : 'SECRET' }",
    "inside": "https://${oc.env:SECRET}@host/${plain}",
    "indirect": "${direct}",
    "further": "${indirect}/x",
    "listed": ["${env:SECRET}", {"deep": "${listed[0]}"}],
}


@pytest.mark.parametrize("key", WRITTEN)
def test_no_value_of_a_variable_is_kept(key):
    kept = without_values(OmegaConf.create({**WRITTEN, "plain": 3}))
    assert "hunter2" not in str(kept)
    assert "SECRET" in str(kept[key])


def test_everything_else_is_resolved():
    config = {
        "a": "${b.c}",
        "b": {"c": 2},
        "folder": "${oc.env:MMF_DATA_DIR}/x",
        "t": "\\${oc.env:A}",
    }
    kept = without_values(OmegaConf.create(config))
    assert kept == {"a": 2, "b": {"c": 2}, "folder": "/data/x", "t": "${oc.env:A}"}


def test_the_kept_configuration_gives_the_same_values():
    config = OmegaConf.create({**WRITTEN, "plain": 3})
    whole = OmegaConf.to_container(config, resolve=True)
    again = OmegaConf.to_container(OmegaConf.create(without_values(config)), resolve=True)
    assert again == whole
    kept = without_values(config)
    assert with_values(kept)["direct"] == "hunter2"
    assert with_values({"${oc.env:SECRET}/a": 1}) == {"hunter2/a": 1}


def test_paths_are_told_by_their_references():
    kept = {"data_dir": "${oc.env:SECRET}/mosi", "names": ["${env:SECRET}"]}
    assert with_references("/a/hunter2/mosi/x", kept) == "/a/${oc.env:SECRET}/mosi/x"
    assert with_references("/a/hunter2/x", kept) == "/a/${env:SECRET}/x"


def test_a_variable_that_is_not_set_keeps_its_reference():
    assert with_values({"a": "${oc.env:NOT_SET}"}) == {"a": "${oc.env:NOT_SET}"}
