"""The recipe for a dataset of one's own, with modalities of any names."""

import json

import numpy as np
import pytest

DEFINITION = """\
dataset_config:
  talks:
    source: clips
    features: {gaze: 3, heart: 1}
    targets: {mood: {kind: regression, low: 0, high: 10}}
"""
SMALL = [
    "config=projects/cmsbert/own.yaml",
    "dataset=talks",
    "model_config.cmsbert.backbone.name=projects/cmsbert/demo",
    "model_config.cmsbert.backbone.from_config=projects/cmsbert/demo",
    "training.max_epochs=1",
    "training.report=false",
    "env.save_dir=save",
]


@pytest.fixture
def talks(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(24):
        split = ("train", "train", "val", "test")[i % 4]
        rows.append({"id": f"c{i}", "text": "good film", "label": float(i % 10), "split": split})
        for name, width in (("gaze", 3), ("heart", 1)):
            (tmp_path / "clips" / name).mkdir(parents=True, exist_ok=True)
            if i % 5:
                frames = rng.normal(size=(4, width)).astype(np.float32)
                np.save(tmp_path / "clips" / name / f"c{i}.npy", frames)
    (tmp_path / "clips" / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "talks.yaml").write_text(DEFINITION)
    return tmp_path


@pytest.mark.slow
def test_it_trains_and_predicts_where_the_definition_is_missing(typed_commands, talks):
    ran = typed_commands.run("mmf_run", SMALL, talks)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    record = json.loads((talks / "save" / "run.json").read_text())
    assert record["criterion"] == {"name": "talks/regression_mae", "minimize": True}
    assert set(record["test"]) >= {"talks/regression_mae", "talks/regression_corr"}
    (talks / "elsewhere").mkdir()
    ran = typed_commands.run("mmf_predict", [f"env.save_dir={talks / 'save'}"], talks / "elsewhere")
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.slow
def test_a_modality_that_the_data_lacks_ends_the_run(typed_commands, talks):
    ran = typed_commands.run("mmf_run", [*SMALL, "dataset_config.talks.features.pose=4"], talks)
    assert ran.returncode == 2
    assert "features.pose is 4, but no segment of the training split has pose" in ran.stderr
