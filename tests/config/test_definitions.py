"""Datasets that a YAML file defines: where it is found, what it may hold, who sees it."""

import json

import pytest
import yaml

from mmf_cmsbert.config import definitions
from mmf_cmsbert.errors import ConfigError


@pytest.fixture(autouse=True)
def nothing_defined(monkeypatch, tmp_path):
    """A working folder without definitions; what a test defines is forgotten after it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MMF_CMSBERT_DATASETS", "{}")
    monkeypatch.setattr(definitions, "_defined", {})
    monkeypatch.setattr(definitions, "_stamps", {})
    monkeypatch.setattr(definitions, "_user_dirs", [])
    monkeypatch.setattr(definitions, "_observers", [])


def write(folder, name="talks", **section):
    (folder / "datasets").mkdir(parents=True, exist_ok=True)
    file = folder / "datasets" / f"{name}.yaml"
    file.write_text(yaml.safe_dump({"dataset_config": {name: section}}))
    return file


def test_a_file_of_the_working_folder_defines_a_dataset(tmp_path):
    write(tmp_path, source="data", features={"gaze": 3})
    settings = definitions.schema_of("talks")()
    assert settings.source == ["data"] and settings.widths == {"gaze": 3}
    assert settings.max_frames == 500 and settings.annotations.val == ["talks/dev.pkl"]
    params = settings.processors.word_processor.params
    assert params.tokenizer == "${model_config.cmsbert.backbone.name}"
    assert "talks" in definitions.known()


def test_the_package_of_the_user_comes_before_the_working_folder(tmp_path):
    write(tmp_path, source="here")
    write(tmp_path / "package", source="there")
    definitions.search(tmp_path / "package")
    assert definitions.schema_of("talks")().source == ["there"]


def test_shipped_datasets_are_not_replaced(tmp_path):
    write(tmp_path, name="mosi", source="data")
    assert definitions.schema_of("mosi")().source is None


def test_an_edited_file_is_read_again(tmp_path):
    file = write(tmp_path, source="one")
    assert definitions.schema_of("talks")().source == ["one"]
    write(tmp_path, source="two")
    import os

    os.utime(file, ns=(1, 1))
    assert definitions.schema_of("talks")().source == ["two"]


def test_a_relative_source_is_that_of_the_working_folder(tmp_path):
    (tmp_path / "clips").mkdir()
    write(tmp_path, source=["clips", "hf://OWNER/NAME"])
    assert definitions.schema_of("talks")().source == [str(tmp_path / "clips"), "hf://OWNER/NAME"]


def test_an_unknown_name_is_told_where_it_was_looked_for(tmp_path):
    with pytest.raises(ConfigError) as error:
        definitions.schema_of("talk")
    message = str(error.value)
    assert "Known: " in message and "mosi" in message
    assert f"looked for {tmp_path / 'datasets' / 'talk.yaml'}" in message
    assert message.endswith("Type: cmsbert data new talk --source PATH")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("dataset_config: {other: {}}", "found dataset_config.other; expected a section dataset_c"),
        ("source: data", "found source; expected dataset_config: {talks: ...}"),
        (
            "dataset_config: {talks: {sourc: x}}",
            "dataset_config.talks.sourc is not a known key. Did",
        ),
        (
            "dataset_config: {talks: {features: {gaze: wide}}}",
            "dataset_config.talks.features.gaze is 'wide'; expected the number of columns",
        ),
        (
            "dataset_config: {talks: {split: {val: 0.1}}}",
            "dataset_config.talks.split divides the data of dataset_config.talks.source, which is",
        ),
    ],
)
def test_a_wrong_definition_names_file_key_and_value(tmp_path, content, message):
    file = write(tmp_path)
    file.write_text(content)
    with pytest.raises(ConfigError) as error:
        definitions.schema_of("talks")
    assert str(error.value).startswith(str(file)) and message in str(error.value)


def test_processes_of_a_run_know_it_without_the_file(tmp_path, monkeypatch):
    write(tmp_path, source="data", features={"gaze": 3}).rename(tmp_path / "moved.yaml")
    section = yaml.safe_load((tmp_path / "moved.yaml").read_text())["dataset_config"]["talks"]
    monkeypatch.setenv("MMF_CMSBERT_DATASETS", json.dumps({"talks": section}))
    seen = []
    definitions.when_defined(lambda name, schema: seen.append((name, schema().widths)))
    assert seen == [("talks", {"gaze": 3})]


def test_a_saved_run_defines_its_dataset_unless_a_file_does(tmp_path):
    section = definitions.schema_of("mosi")().plain() | {"features": {"gaze": 5}}
    assert definitions.schema_for("talks", {"path": "x"}) is None
    assert definitions.schema_for("talks", section)().widths == {"gaze": 5}
