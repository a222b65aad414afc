"""``dataset_config.mosi`` and ``dataset_config.mosei``."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from mmf_cmsbert.config.schemas.corpora import DATASETS
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.config.shipped import dataset_path
from mmf_cmsbert.datasets.split_files import read_split_files
from mmf_cmsbert.errors import ConfigError


def section(name="mosi", **changes):
    """Return the shipped section with changes, inside a configuration as in MMF."""
    whole = OmegaConf.merge(
        {"env": {"data_dir": "/data"}},
        OmegaConf.load(dataset_path(name)),
        {"dataset_config": {name: changes}},
    )
    return OmegaConf.to_container(whole.dataset_config[name], resolve=True)


def settings(name="mosi", **changes):
    return read(DATASETS[name], section(name, **changes), f"dataset_config.{name}")


def annotations(name="mosi", **changes):
    given = settings(name, **changes).plain()
    return read_split_files(DATASETS[name], name, given).annotations


def refusal(**changes):
    with pytest.raises(ConfigError) as error:
        settings(**changes)
    return str(error.value)


@pytest.mark.parametrize(("name", "visual"), [("mosi", 47), ("mosei", 35)])
def test_the_shipped_defaults(name, visual):
    folder = Path("/data/datasets")
    assert annotations(name) == {
        "train": [folder / name / "train.pkl"],
        "val": [folder / name / "dev.pkl"],
        "test": [folder / name / "test.pkl"],
    }
    shipped = settings(name)
    assert shipped.widths == {"visual": visual, "acoustic": 74}
    assert shipped.layout == "auto"
    assert shipped.alignment == "word"
    assert shipped.max_frames == 500
    assert shipped.synthetic is None


def test_files_are_a_name_or_a_list_relative_or_absolute():
    typed = {"train": "/else/mag.pkl", "val": ["one.pkl", "two.pkl"]}
    files = annotations(data_dir="/here", annotations=typed)
    assert files["train"] == [Path("/else/mag.pkl")]
    assert files["val"] == [Path("/here/one.pkl"), Path("/here/two.pkl")]
    assert files["test"] == [Path("/here/mosi/test.pkl")]


def test_the_users_home_is_understood():
    files = annotations(data_dir="~/corpora")
    assert files["test"] == [Path.home() / "corpora/mosi/test.pkl"]


@pytest.mark.parametrize("none", [None, 0])
def test_a_modality_can_be_left_out(none):
    assert settings(features={"visual": none}).widths == {"visual": None, "acoustic": 74}


def test_a_synthetic_corpus_is_asked_for_by_a_section():
    asked = settings(synthetic={"train": 9}).synthetic
    assert dict(asked) == {"seed": 1, "train": 9, "val": 120, "test": 200}


def test_processors_of_others_have_their_own_params():
    own = {"type": "another", "params": {"its": 1}, "preprocessor": {"type": "some"}}
    changes = {"word_processor": own, "region_processor": own}
    read_back = settings(processors=changes).plain()["processors"]
    assert read_back["region_processor"]["params"] == {"its": 1}
    assert read_back["word_processor"]["params"]["its"] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"anotations": {}}, "dataset_config.mosi.anotations is not a known key. Did you mean"),
        ({"annotations": {"dev": ["a"]}}, "dataset_config.mosi.annotations.dev is not a known key"),
        ({"annotations": {"test": []}}, "annotations.test is []; expected a file or a list"),
        ({"annotations": {"val": None}}, "annotations.val is None"),
        ({"annotations": {"val": [3]}}, "annotations.val is [3]"),
        ({"features": {"text": 300}}, "features names a modality 'text'"),
        (
            {"features": {"visual": "wide"}},
            "features.visual is 'wide'; expected the number of columns",
        ),
        ({"features": {"visual": -1}}, "features.visual is -1"),
        ({"alignment": "words"}, "dataset_config.mosi.alignment is 'words'; expected one of word"),
        (
            {"max_frames": 0},
            "dataset_config.mosi.max_frames is 0; expected the largest number of frames",
        ),
        ({"max_frames": "all"}, "dataset_config.mosi.max_frames is 'all'"),
        ({"normalise": "batch"}, "mosi.normalise is 'batch'; expected one of none, corpus, segm"),
        ({"layout": 3}, "dataset_config.mosi.layout is 3; expected text, as in"),
        ({"processors": {"word_procesor": {}}}, "Did you mean dataset_config.mosi.processors.word"),
        ({"synthetic": {"seeds": 1}}, "dataset_config.mosi.synthetic.seeds is not a known key"),
        ({"synthetic": True}, "dataset_config.mosi.synthetic is True; expected null or a section"),
        ({"synthetic": {"train": 0}}, "synthetic.train is 0; expected a whole number from 1"),
        ({"synthetic": {"train": 1.5}}, "synthetic.train is 1.5; expected a whole number from 1"),
        ({"synthetic": {"train": None}}, "synthetic.train is None; expected a whole number"),
        ({"synthetic": {"seed": -1}}, "synthetic.seed is -1; expected a whole number from 0"),
        ({"synthetic": {}, "layout": "mag"}, "layout auto or misa"),
        ({"synthetic": {}, "annotations": {"val": ["a", "b"]}}, "one file per split"),
        ({"synthetic": {}, "annotations": {"val": "mosi/train.pkl"}}, "one file per split"),
    ],
)
def test_what_cannot_be_followed_is_told_with_its_key(changes, message):
    assert message in refusal(**changes)
