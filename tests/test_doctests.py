"""The examples in public docstrings are correct."""

import doctest
import importlib
import json

import pytest
from small_predictor import made

from mmf_cmsbert.checkpoints.model_folder import find

# Modules with examples, which may use the folders of the fixture.
MODULES = (
    "datasets.readers.chinese",
    "predictor.inputs",
    "predictor.prediction",
    "predictor.predictor",
    "runs.override_words",
    "runs.run",
    "runs.training",
)
RECORD = {
    "format": 1,
    "status": "finished",
    "best": {"update": 30, "value": 0.7},
    "validation": {"mosi/sentiment_mae": 0.7},
    "test": {"mosi/sentiment_mae": 0.75},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A working folder with an exported model and a finished run."""
    folder = tmp_path_factory.mktemp("working")
    run = folder / "save" / "synthetic_demo"
    made().save_pretrained(folder / "my_model")
    made().save_pretrained(run / "model")
    (run / "run.json").write_text(json.dumps(RECORD))
    assert find(run) == run / "model"
    return folder


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    module = importlib.import_module(f"mmf_cmsbert.{name}")
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted and not result.failed
