"""A run's folder is opened from Python."""

import json

import pytest
from small_predictor import made

from mmf_cmsbert import Run
from mmf_cmsbert.errors import DataError, UserError


def folder(path, **content):
    record = {"format": 1, "status": "finished", "best": {"update": 8, "value": 0.5}}
    record |= {"validation": {"mosi/sentiment_mae": 0.5}, "test": {"mosi/sentiment_mae": 0.6}}
    path.mkdir(exist_ok=True)
    (path / "run.json").write_text(json.dumps(record | content))
    return path


def test_it_knows_status_scores_and_the_best_update(tmp_path):
    run = Run(folder(tmp_path))
    assert (run.status, run.best_update, run.folder) == ("finished", 8, tmp_path)
    assert run.scores == {
        "validation": {"mosi/sentiment_mae": 0.5},
        "test": {"mosi/sentiment_mae": 0.6},
    }
    assert run.record["format"] == 1 and "finished" in repr(run)


def test_a_run_that_was_interrupted_has_no_scores(tmp_path):
    run = Run(folder(tmp_path, status="interrupted", best=None, validation=None, test=None))
    assert run.scores == {} and run.best_update is None


def test_it_predicts_with_its_exported_model(tmp_path):
    run, predictor = Run(folder(tmp_path)), made()
    predictor.save_pretrained(run.model_folder)
    assert run.predict("a good film").score == predictor("a good film").score
    assert [each.id for each in run.predict(["good", "bad"], batch_size=1)] == ["0", "1"]
    assert run.predictor(device="cpu").config.model == predictor.config.model


def test_without_a_model_or_checkpoint_it_says_so(tmp_path):
    with pytest.raises(UserError, match="best.ckpt: there is no such checkpoint"):
        Run(folder(tmp_path)).predictor()


def test_a_folder_without_a_run_is_named(tmp_path):
    with pytest.raises(DataError, match="run.json"):
        Run(tmp_path)
