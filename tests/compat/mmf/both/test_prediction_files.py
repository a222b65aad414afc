"""Prediction files: one for each dataset, written atomically, with finite scores only."""

import json
import math

import pytest

from mmf_cmsbert.errors import DataError

SIZES = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5), "toy_c": (6, 4, 3)}


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_predictions_of_each_dataset(toy, tmp_path, kind):
    options = ["evaluation.predict=True", f"evaluation.predict_file_format={kind}"]
    options.append(f"env.report_dir={tmp_path / 'reports'}")
    trainer = toy.trainer(tmp_path, *options, dataset="toy_a,toy_b", sizes=SIZES)
    trainer.inference()
    for name in ("toy_a", "toy_b"):
        (file,) = (tmp_path / "reports").glob(f"{name}_*.{kind}")
        if kind == "json":
            ids = [row["id"] for row in json.loads(file.read_text())]
        else:
            ids = [int(line.split(",")[0]) for line in file.read_text().splitlines()[1:]]
        assert ids == list(range(SIZES[name][2]))


def test_a_dataset_that_formats_no_predictions_is_named(toy, tmp_path, monkeypatch):
    monkeypatch.delattr(toy.ToyDataset, "format_for_prediction")
    options = ["evaluation.predict=True", "evaluation.predict_file_format=csv"]
    trainer = toy.trainer(tmp_path, *options)
    with pytest.raises(DataError, match="no predictions of dataset toy_a"):
        trainer.inference()


def broken(toy, monkeypatch, value):
    forward = toy.ToyModel.forward

    def scores_broken(self, sample_list):
        output = forward(self, sample_list)
        if sample_list.dataset_type == "test":
            output["scores"] = output["scores"] * value
        return output

    monkeypatch.setattr(toy.ToyModel, "forward", scores_broken)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_predictions_that_are_nan_are_not_written(toy, tmp_path, monkeypatch, form):
    toy.run(tmp_path, "training.max_updates=2")
    broken(toy, monkeypatch, math.nan)
    trainer = toy.trainer(
        tmp_path,
        "run_type=predict",
        "evaluation.predict=True",
        f"evaluation.predict_file_format={form}",
        f"checkpoint.resume_file={tmp_path / 'save' / 'best.ckpt'}",
    )
    with pytest.raises(DataError, match=r"NaN or infinite \(7 of 7 samples \(\d, \d, \d\)\)"):
        trainer.inference()
    assert not list(tmp_path.rglob(f"*toy_a*.{form}"))
