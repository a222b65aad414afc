"""The configuration of a dataset."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.datasets.settings import defaults_path, read_dataset_settings
from mmf_cmsbert.errors import ConfigError


def section(name="mosi", **changes):
    """The shipped section with changes, inside a configuration as MMF's."""
    whole = OmegaConf.merge(
        {"env": {"data_dir": "/data"}},
        OmegaConf.load(defaults_path(name)),
        {"dataset_config": {name: changes}},
    )
    return whole.dataset_config[name]


def refusal(**changes):
    with pytest.raises(ConfigError) as error:
        read_dataset_settings("mosi", section(**changes))
    return str(error.value)


@pytest.mark.parametrize(("name", "visual"), [("mosi", 47), ("mosei", 35)])
def test_the_shipped_defaults(name, visual):
    settings = read_dataset_settings(name, section(name))
    folder = Path("/data/datasets")
    assert settings.files.annotations == {
        "train": [folder / name / "train.pkl"],
        "val": [folder / name / "dev.pkl"],
        "test": [folder / name / "test.pkl"],
    }
    assert settings.widths == {"visual": visual, "acoustic": 74}
    assert settings.layout == "auto"
    assert settings.alignment == "word"
    assert settings.max_frames == 500
    assert settings.synthetic is None


def test_files_are_a_name_or_a_list_relative_or_absolute():
    annotations = {"train": "/else/mag.pkl", "val": ["one.pkl", "two.pkl"]}
    settings = read_dataset_settings("mosi", section(data_dir="/here", annotations=annotations))
    assert settings.files.annotations["train"] == [Path("/else/mag.pkl")]
    assert settings.files.annotations["val"] == [Path("/here/one.pkl"), Path("/here/two.pkl")]
    assert settings.files.annotations["test"] == [Path("/here/mosi/test.pkl")]


def test_the_users_home_is_understood():
    settings = read_dataset_settings("mosi", section(data_dir="~/corpora"))
    assert settings.files.annotations["test"] == [Path.home() / "corpora/mosi/test.pkl"]


@pytest.mark.parametrize("none", [None, 0])
def test_a_modality_can_be_left_out(none):
    settings = read_dataset_settings("mosi", section(features={"visual": none}))
    assert settings.widths == {"visual": None, "acoustic": 74}


def test_a_synthetic_corpus_is_asked_for_by_a_section():
    settings = read_dataset_settings("mosi", section(synthetic={"train": 9}))
    assert settings.synthetic == {"seed": 1, "train": 9, "val": 120, "test": 200}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"anotations": {}}, "dataset_config.mosi.anotations is not a known key. Did you mean"),
        ({"annotations": {"dev": ["a"]}}, "dataset_config.mosi.annotations.dev is not a known key"),
        ({"annotations": {"test": []}}, "annotations.test is []; expected a file or a list"),
        ({"annotations": {"val": None}}, "annotations.val is None"),
        ({"annotations": {"val": [3]}}, "annotations.val is [3]"),
        ({"features": {"text": 300}}, "features.text is not a known key"),
        ({"features": {"visual": "wide"}}, "features.visual is 'wide'; expected how many columns"),
        ({"features": {"visual": -1}}, "features.visual is -1"),
        ({"alignment": "words"}, "dataset_config.mosi.alignment is 'words'; expected one of word"),
        ({"max_frames": 0}, "dataset_config.mosi.max_frames is 0; expected how many frames"),
        ({"max_frames": "all"}, "dataset_config.mosi.max_frames is 'all'"),
        ({"normalise": "batch"}, "mosi.normalise is 'batch'; expected one of none, corpus, segm"),
        ({"layout": "tsv"}, "dataset_config.mosi.layout is 'tsv'; expected one of auto, misa, ma"),
        ({"processors": {"word_procesor": {}}}, "Did you mean dataset_config.mosi.processors.word"),
        ({"synthetic": {"seeds": 1}}, "dataset_config.mosi.synthetic.seeds is not a known key"),
        ({"synthetic": True}, "dataset_config.mosi.synthetic is True; expected null or a section"),
        ({"synthetic": {}, "layout": "mag"}, "layout auto or misa"),
        ({"synthetic": {}, "annotations": {"val": ["a", "b"]}}, "one file a split"),
        ({"synthetic": {}, "annotations": {"val": "mosi/train.pkl"}}, "one file a split"),
    ],
)
def test_what_cannot_be_followed_is_told_with_its_key(changes, message):
    assert message in refusal(**changes)
