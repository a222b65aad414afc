import json
from types import SimpleNamespace

import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers import loaded_weights
from mmf_cmsbert.trainers.extractors import ChecksExtractors


def card(name):
    return {"acoustic": {"name": name, "columns": ["a"]}}


def trainer(**splits):
    found = type("Loaded", (ChecksExtractors, _Base), {})()
    for split in ("train", "val", "test"):
        dataset = SimpleNamespace(dataset_name="mosi", extractors=splits.get(split, {}))
        setattr(found, f"{split}_loader", SimpleNamespace(datasets=[dataset]))
    found.load_datasets()
    return found


class _Base:
    run_type = "train_val_inference"

    def load_datasets(self):
        pass


def test_the_card_of_a_dataset_is_that_of_its_splits():
    assert trainer(train=card("librosa"), test=card("librosa")).extractors == {
        "mosi": card("librosa")
    }
    assert trainer().extractors == {}


def test_splits_of_different_extractors_are_refused():
    with pytest.raises(ConfigError, match="mosi, split test: its acoustic features are of another"):
        trainer(train=card("librosa"), test=card("opensmile"))


def test_weights_of_another_extractor_are_refused(tmp_path):
    record = {"format": 1, "extractors": {"mosi": card("librosa")}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    for file in ("best.ckpt", "models/model_10.ckpt"):
        loaded_weights.check_extractors({"mosi": card("librosa")}, tmp_path / file)
        with pytest.raises(ConfigError, match=f"dataset mosi: its acoustic.*{file}.*librosa"):
            loaded_weights.check_extractors({"mosi": card("opensmile")}, tmp_path / file)
