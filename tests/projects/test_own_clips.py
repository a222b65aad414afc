"""The worked example with clips: from made clips to a trained model, its report, and a new clip.

CMSBERT_TEST_WHISPER names the folder of a faster-whisper model; without one the test skips.
"""

import csv
import json
import os
import time
from pathlib import Path

import made_clips
import pytest

from mmf_cmsbert.media.feature_folder import FeatureFolder

RECIPE = "config=projects/cmsbert/own_clips/own_clips.yaml"
SMALL = (
    "model_config.cmsbert.backbone.name=projects/cmsbert/demo",
    "model_config.cmsbert.backbone.from_config=projects/cmsbert/demo",
    "model_config.cmsbert.backbone.pooling=mean",
    "training.max_updates=16",
    "optimizer.params.lr=1e-3",
)


@pytest.fixture
def whisper():
    for library in ("av", "faster_whisper", "librosa", "dlib"):
        pytest.importorskip(library, reason=f"extracts with {library}, of the extra [media]")
    if program := made_clips.missing():
        pytest.skip(f"makes clips with {program}, which is not installed")
    folder = os.environ.get("CMSBERT_TEST_WHISPER", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("CMSBERT_TEST_WHISPER names no folder of a faster-whisper model")
    return folder


@pytest.mark.slow
def test_ten_clips_become_a_model_its_report_and_the_timeline_of_a_new_clip(
    shared, whisper, typed_commands, tmp_path
):
    face = shared / "media" / "single_face.mp4"
    if not face.is_file():
        pytest.skip(f"puts speech under a face, and there is no {face}")
    made_clips.write(tmp_path / "clips", face)

    def typed(command, *words):
        done = typed_commands.run(command, words, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    began = time.monotonic()
    options = ("--recogniser", whisper, "--voice", "librosa", "--face", "dlib")
    said = typed("cmsbert", "features", "clips/labels.csv", "--output", "features", *options)
    took = time.monotonic() - began
    features = FeatureFolder(tmp_path / "features")
    timelines = [features.record(name)["timeline"] for name in features.clips()]
    minutes = sum(each["seconds"] for each in timelines) / 60
    print(f"{took / minutes:.0f} s a minute of clip")
    assert "features: 10 segments of 10 clips" in said
    assert all(all(each["face_present"]) for each in timelines)
    widths = said.split("Train on it: mmf_run")[1].split()[1:]
    assert widths[1:] == [
        "dataset_config.mosi.features.visual=139",
        "dataset_config.mosi.features.acoustic=28",
    ]

    assert "10" in typed("cmsbert", "data", "inspect", "features")
    typed("mmf_run", RECIPE, *widths, *SMALL, "env.save_dir=run", "env.data_dir=data")
    typed("cmsbert", "report", "run")
    assert (tmp_path / "run/report.html").stat().st_size > 10_000
    card = (tmp_path / "run/model/README.md").read_text()
    assert "acoustic: librosa" in card and "visual: dlib" in card

    new = ("--media", "clips/clip_8.mp4", "--recogniser", whisper)
    typed("cmsbert", "predict", "run", *new, "--output", "scores.csv")
    with open(tmp_path / "scores.csv", newline="") as file:
        (row,) = csv.DictReader(file)
    timeline = json.loads((tmp_path / "scores.csv.timeline.json").read_text())["clips"][0]
    assert timeline["segments"][0]["score"] == float(row["prediction"])
    assert "<polygon" in _page(typed, tmp_path)

    # Features of another extractor are refused, by both ways of prediction.
    words = ("--voice", "none", "--face", "none", "--recogniser", "none", "--transcript", "a.txt")
    (tmp_path / "a.txt").write_text("a lovely film")
    typed("cmsbert", "features", "clips/clip_8.mp4", "--output", "other", *words)
    file = tmp_path / "other/extractors.json"
    other = json.loads(file.read_text())
    kept = json.loads((tmp_path / "features/extractors.json").read_text())
    other["acoustic"] = kept["acoustic"] | {"name": "opensmile"}
    file.write_text(json.dumps(other))
    for command, given in (
        ("cmsbert", ("predict", "run", "--input", "other", "--output", "b.csv")),
        ("mmf_predict", ("env.save_dir=run", "dataset_config.mosi.source=other")),
    ):
        done = typed_commands.run(command, given, tmp_path)
        assert done.returncode == 2
        assert "acoustic features are of another extractor" in done.stdout + done.stderr


def _page(typed, folder):
    typed("cmsbert", "report", "scores.csv")
    return (folder / "scores.html").read_text()
