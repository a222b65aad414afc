"""The exported model of a run on real MOSI segments predicts its test split as the run does.

Without MMF, and by each of MMF's ways to read it.
"""

import json
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
WITHOUT_MMF = """
import importlib.machinery as machinery, json, sys
from pathlib import Path
real = machinery.PathFinder.find_spec
def without_mmf(name, *rest, **more):
    return None if name.split(".")[0] in ("mmf", "mmf_cli") else real(name, *rest, **more)
machinery.PathFinder.find_spec = staticmethod(without_mmf)
from mmf_cmsbert import SentimentPredictor, registration
from mmf_cmsbert.predictor.sources import read_segments
assert not registration.mmf_installed()
predictor = SentimentPredictor(sys.argv[1], device="cpu")
segments = read_segments(Path(sys.argv[2]), "test")
print(json.dumps({each.id: each.score for each in predictor.stream(segments)}))
assert "mmf" not in sys.modules
"""


def predicted(done):
    assert done.returncode == 0, done.stdout + done.stderr
    log = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    with open(re.findall(r"redictions for mosi to (\S+)", log)[0]) as file:
        return {row["id"]: row["prediction"] for row in json.load(file)}


@pytest.fixture(scope="module")
def run(typed_commands, shared, tmp_path_factory):
    """The folder of a run of 60 updates, and the predictions of mmf_predict for it."""
    folder = tmp_path_factory.mktemp("real")
    data = shared / "mosi" / "misa_folds"
    files = {"train": "train.pkl", "val": "dev.pkl", "test": "test.pkl"}
    backbone = {"name": "projects/cmsbert/demo", "from_config": "projects/cmsbert/demo"}
    words = [
        "config=projects/cmsbert/mosi.yaml",
        *(f"model_config.cmsbert.backbone.{key}={value}" for key, value in backbone.items()),
        "model_config.cmsbert.backbone.pooling=mean",
        *(f"dataset_config.mosi.annotations.{split}=[{name}]" for split, name in files.items()),
        f"dataset_config.mosi.data_dir={data}",
        "optimizer.params.lr=1e-3",
        "training.max_updates=60",
        "training.evaluation_interval=6",
        "training.early_stop.patience=1000",
        "training.report=false",
        "env.save_dir=run",
    ]
    done = typed_commands.run("mmf_run", words, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "words.json").write_text(json.dumps(words[:-1]))
    words = [f"env.save_dir={folder}/run", "evaluation.predict_file_format=json"]
    return folder, data / "test.pkl", predicted(typed_commands.run("mmf_predict", words, folder))


def test_without_mmf(run):
    folder, segments, expected = run
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_MMF, str(folder / "run"), str(segments)],
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert len(found) == 45 and found == pytest.approx(expected, abs=1e-6)


def test_by_from_pretrained(run):
    """As MMF's model class, with its fields instead of the predictor's."""
    from mmf.common.sample import SampleList

    from mmf_cmsbert.models.cmsbert import CMSBERT
    from mmf_cmsbert.predictor import SentimentPredictor
    from mmf_cmsbert.predictor.sources import read_segments

    folder, segments, expected = run
    model = CMSBERT.from_pretrained(folder / "run" / "model")
    predictor = SentimentPredictor(folder / "run", device="cpu")
    found = {}
    for segment in read_segments(segments, "test"):
        batch = predictor._batch([predictor._checked(segment)])
        fields = SampleList()
        fields.dataset_name = "mosi"
        for name in ("input_ids", "input_mask", "word_index"):
            fields[name] = batch[name]
        for modality, frames in batch["frames"].items():
            fields[modality] = frames
            fields[f"{modality}_mask"] = batch["frame_masks"][modality]
        found[segment.id] = model(fields)["scores"].item()
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("key", ["resume_zoo", "resume_file"])
def test_by_mmfs_commands(run, typed_commands, tmp_path, key):
    folder, _, expected = run
    words = json.loads((folder / "words.json").read_text())
    words += [f"checkpoint.{key}={folder}/run/model", "evaluation.predict_file_format=json"]
    done = typed_commands.run("mmf_predict", [*words, "env.save_dir=zoo"], tmp_path)
    assert predicted(done) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "words", [["checkpoint.resume=true", "checkpoint.resume_best=true"], ["checkpoint.resume_file"]]
)
def test_by_the_best_checkpoint_which_refers_to_the_model(run, typed_commands, tmp_path, words):
    folder, _, expected = run
    if words == ["checkpoint.resume_file"]:
        words = [f"checkpoint.resume_file={folder}/run/best.ckpt", "env.save_dir=here"]
    else:
        words = [f"env.save_dir={folder}/run", *words]
    words = [*words, "evaluation.predict_file_format=json"]
    done = typed_commands.run("mmf_predict", words, tmp_path)
    assert predicted(done) == pytest.approx(expected, abs=1e-6)
