"""Typed ``source`` and ``annotations`` replace the other one in a file."""

import pytest

from mmf_cmsbert.config.typed_source import complete
from mmf_cmsbert.errors import ConfigError

SOURCE, LISTS = "dataset_config.mosi.source", "dataset_config.mosi.annotations"


def test_a_typed_source_takes_the_place_of_a_files_annotations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    assert complete({SOURCE: "clips"}) == {
        SOURCE: str(tmp_path / "clips"),
        f"{LISTS}.train": "['mosi/train.pkl']",
        f"{LISTS}.val": "['mosi/dev.pkl']",
        f"{LISTS}.test": "['mosi/test.pkl']",
        "dataset_config.mosi.synthetic": "None",
    }
    assert complete({SOURCE: "['clips', 'gone']"})[SOURCE] == f"['{tmp_path}/clips', 'gone']"


def test_nothing_is_added_where_nothing_is_typed_or_it_is_another_datasets():
    assert complete({"training.seed": "1", SOURCE: "None"}) == {}
    assert complete({"dataset_config.hateful_memes.source": "/a"}) == {}


def test_a_synthetic_corpus_that_is_typed_stays_and_is_refused_later():
    typed = {SOURCE: "/a", "dataset_config.mosi.synthetic.seed": "1"}
    assert "dataset_config.mosi.synthetic" not in complete(typed)


def test_both_typed_are_refused():
    with pytest.raises(ConfigError, match="both name the data"):
        complete({SOURCE: "/a", f"{LISTS}.test": "['/b']"})


def test_to_predict_typed_annotations_take_the_place_of_a_files_source():
    typed = {f"{LISTS}.test": "['/b']"}
    split = "dataset_config.mosi.split"  # new data is not divided
    assert complete(typed, predict=True) == {SOURCE: "None", split: "None"}
    assert complete(typed) == {}
