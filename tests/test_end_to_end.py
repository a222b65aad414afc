"""The commands as a user types them, each in a separate process and folder.

On a reduced synthetic demo corpus. The first command is started as by a user; the
others are forked from a process with the same imports (see ``typed_commands``).
"""

import csv
import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from mmf_cmsbert.compat.mmf import line as mmf_line
from mmf_cmsbert.paths import PACKAGE

METRICS = (
    "mae", "corr", "acc7", "acc5", "acc2", "f1", "acc2_nonzero", "f1_nonzero",
)  # fmt: skip
SMALL = [
    "config=projects/cmsbert/demo.yaml",
    "dataset_config.mosi.synthetic.train=96",
    "dataset_config.mosi.synthetic.val=32",
    "dataset_config.mosi.synthetic.test=40",
    "training.max_updates=9",
    "training.evaluation_interval=4",
    "training.log_interval=1",
    "training.checkpoint_interval=5",
    "training.report=false",
]


# The full recipe with the demo's backbone.
UNTRAINED = [
    "config=projects/cmsbert/mosi.yaml",
    "model_config.cmsbert.backbone.name=projects/cmsbert/demo",
    "model_config.cmsbert.backbone.from_config=projects/cmsbert/demo",
    "training.max_updates=3",
    "training.report=false",
]


def words(folder, *options, recipe=SMALL):
    data = f"dataset_config.mosi.data_dir={folder.parent / 'data'}"
    return [*recipe, data, f"env.save_dir={folder / 'save'}", *options]


def arguments(command, *words):
    """A command for ``subprocess``."""
    program = f"from mmf_cmsbert.cli import {command}; {command}()"
    return [sys.executable, "-c", program, *words]


@pytest.fixture(scope="module")
def run(typed_commands):
    """Run a command in a folder."""

    def typed(command, folder, *options, recipe=SMALL):
        folder.mkdir(exist_ok=True)
        return typed_commands.run(command, words(folder, *options, recipe=recipe), folder)

    return typed


def scores_on_test(output):
    """Return the test metrics as printed by MMF: name -> text."""
    names = "|".join(METRICS)
    return dict(re.findall(rf"test/mosi/sentiment_({names}): (-?\d\.\d{{4}})", output))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "trained"
    folder.mkdir()
    typed = arguments("mmf_run", *words(folder, "training.report=true"))
    ended = subprocess.run(typed, cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return folder, ended


def test_a_run_ends_with_all_eight_test_metrics_and_calls_the_data_synthetic(trained):
    _, ended = trained
    assert set(scores_on_test(ended.stdout)) == set(METRICS)
    assert "96 synthetic segments" in ended.stdout
    assert ended.stdout.index("val/mosi/sentiment_mae") < ended.stdout.index("test/mosi/")


def test_a_finished_run_has_its_report_with_each_test_segment(trained):
    text = (trained[0] / "save" / "report.html").read_text()
    assert "Synthetic data" in text and "9: validation MAE" in text
    assert len(re.findall(r'"i":"synthetic-test-', text)) == 40
    mae = scores_on_test(trained[1].stdout)["mae"]
    assert f">{mae}<" in text and "have changed since" not in text


def test_predictions_have_one_row_a_test_segment_and_reproduce_the_scored_mae(trained, run):
    folder, ended = trained
    predicted = run("mmf_predict", folder)
    assert predicted.returncode == 0, predicted.stderr
    (file,) = (folder / "save").glob("*/reports/*.json")
    rows = json.loads(file.read_text())
    assert len(rows) == 40 == len({row["id"] for row in rows})
    assert all(set(row) == {"id", "prediction", "label"} for row in rows)
    mae = sum(abs(row["prediction"] - row["label"]) for row in rows) / len(rows)
    assert f"{mae:.4f}" == scores_on_test(ended.stdout)["mae"]


@pytest.mark.slow  # tests/trainers/test_several_processes.py checks the file
def test_predictions_as_csv(trained, run):
    folder, _ = trained
    predicted = run("mmf_predict", folder, "evaluation.predict_file_format=csv")
    assert predicted.returncode == 0, predicted.stderr
    (file,) = (folder / "save").glob("*/reports/*.csv")
    with open(file, newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 40 and set(rows[0]) == {"id", "prediction", "label"}


@pytest.mark.slow  # for a small model, see tests/trainers/test_killed_runs.py
@pytest.mark.parametrize("trainer", ["base_trainer", "lightning_cmsbert"])
def test_killed_and_resumed_a_run_ends_with_the_scores_of_the_uninterrupted_one(
    trained, run, trainer
):
    folder = trained[0].parent / f"killed {trainer}"
    folder.mkdir()
    option = f"training.trainer={trainer}"
    process = subprocess.Popen(
        arguments("mmf_run", *words(folder, option)), cwd=folder, stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if "progress: 7/9" in line:  # after the snapshot of update 5, in the third epoch
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL, "it ended by itself"
    assert (folder / "save" / "current.ckpt").is_file()
    resumed = run("mmf_run", folder, option, "checkpoint.resume=true")
    assert resumed.returncode == 0, resumed.stderr
    assert "Resuming from" in resumed.stdout
    assert scores_on_test(resumed.stdout) == scores_on_test(trained[1].stdout)


def test_mmfs_own_command_finds_the_plugin_through_the_files_user_dir(trained):
    # An environment in which MMF runs without this package: the compatibility layer has another
    # name, and MMF's own command is started.
    folder = trained[0].parent / "stock"
    folder.mkdir()
    modules = {"rc10": "base_trainer.BaseTrainer", "main": "mmf_trainer.MMFTrainer"}
    trainer = f"mmf.trainers.{modules[mmf_line.installed()]}"
    program = (
        "import sys, importlib.util, pathlib\n"
        "origin = pathlib.Path(importlib.util.find_spec('mmf_cmsbert').origin).parent\n"
        "assert 'mmf_cmsbert' not in sys.modules\n"
        "import mmf_cmsbert.compat, mmf_cli.run as stock\n"
        "for name in [n for n in sys.modules if n.split('.')[0] == 'mmf_cmsbert']:\n"
        "    del sys.modules[name]\n"
        "from mmf.common.registry import registry\n"
        "registry.mapping['model_name_mapping'].pop('cmsbert')\n"
        "registry.mapping['builder_name_mapping'].pop('mosi')\n"
        # MMF's trainer, which the plugin's also replaces.
        "import importlib\n"
        f"module = importlib.import_module({trainer.rpartition('.')[0]!r})\n"
        f"ours = module.{trainer.rpartition('.')[2]}\n"
        f"module.{trainer.rpartition('.')[2]} = next(\n"
        "    c for c in ours.__mro__ if c.__module__ == module.__name__)\n"
        "stock.run()\n"
    )
    config = SMALL[0].replace("projects", str(PACKAGE / "projects"))
    typed = [config, *SMALL[1:4], "training.max_updates=2", "model=cmsbert", "dataset=mosi"]
    paths = words(folder)[-2:]
    ended = subprocess.run(
        [sys.executable, "-c", program, *typed, *paths], cwd=folder, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert set(scores_on_test(ended.stdout)) == set(METRICS)


def test_two_datasets_of_different_widths_train_together_and_are_scored_apart(trained, run):
    folder = trained[0].parent / "both"
    mosei = {"seed": 2, "train": 48, "val": 20, "test": 20}
    ended = run(
        "mmf_run",
        folder,
        "dataset=mosi,mosei",
        f"dataset_config.mosei.data_dir={folder / 'mosei'}",
        f"dataset_config.mosei.synthetic={mosei}",
    )
    assert ended.returncode == 0, ended.stderr
    for name in ("mosi", "mosei"):
        assert re.search(rf"test/{name}/sentiment_mae: \d", ended.stdout)
        assert re.search(rf"val/{name}/sentiment_mae: \d", ended.stdout)


def test_the_full_recipe_on_real_segments_stops_early_and_scores_its_best_checkpoint(
    tmp_path, shared, run
):
    files = {"train": "train.pkl", "val": "dev.pkl", "test": "test.pkl"}
    ended = run(
        "mmf_run", tmp_path,
        f"dataset_config.mosi.data_dir={shared / 'mosi' / 'misa_folds'}",
        *(f"dataset_config.mosi.annotations.{split}=[{name}]" for split, name in files.items()),
        # Nothing is learned, so no evaluation is better than the first.
        "optimizer.params.lr=0", "training.evaluation_interval=1", "training.log_interval=1",
        "training.early_stop.patience=1",
        recipe=[word for word in UNTRAINED if "max_updates" not in word],
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "mosi test: 45 segments" in ended.stdout and "synthetic" not in ended.stdout
    assert "Early stopping activated" in ended.stdout
    assert re.search(r"progress: 1/1080, test/", ended.stdout), "the best update is 1"
    assert set(scores_on_test(ended.stdout)) == set(METRICS)


@pytest.mark.slow
def test_the_demo_needs_face_and_voice(tmp_path):
    program = "from mmf_cmsbert.cli import mmf_run; mmf_run()"
    mae = {}
    for context in ("utterance", "none"):
        ended = subprocess.run(
            [sys.executable, "-c", program, SMALL[0], f"env.data_dir={tmp_path}",
             f"model_config.cmsbert.shift.context={context}", f"env.save_dir={tmp_path / context}"],
            cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        mae[context] = float(scores_on_test(ended.stdout)["mae"])
    assert mae["utterance"] < 0.5 * mae["none"], mae


def test_a_missing_file_ends_the_command_with_one_message_and_a_status(tmp_path, run):
    ended = run("mmf_run", tmp_path, recipe=["config=projects/cmsbert/mosi.yaml"])
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    for hint in ("mosi: no data file", "train.pkl", "projects/cmsbert/demo.yaml"):
        assert hint in ended.stderr


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A user's segments with unaligned frames; those to predict have no label."""
    folder = tmp_path_factory.mktemp("videos")
    rng = np.random.default_rng(0)
    rows = []
    for i in range(40):
        split = ("train", "val", "test")[i % 3]
        label = None if split == "test" else float(rng.uniform(-3, 3))
        rows.append({"id": f"clip {i}", "text": "a good film", "label": label, "split": split})
        for modality, width in (("visual", 47), ("acoustic", 74)):
            if i % 7:
                (folder / modality).mkdir(exist_ok=True)
                np.save(folder / modality / f"clip {i}", rng.normal(3, 2, (i + width, width)))
    (folder / "segments.jsonl").write_text("\n".join(map(json.dumps, rows)))
    options = [f"dataset_config.mosi.annotations.{s}=[{folder}]" for s in ("train", "val", "test")]
    return rows, [*options, "dataset_config.mosi.normalise=corpus"]


def test_ones_own_unaligned_segments_train_and_those_without_a_label_are_predicted(
    tmp_path, run, own
):
    folder = tmp_path / "run"
    rows, options = own
    options = [*options, "dataset_config.mosi.max_frames=60"]
    ended = run("mmf_run", folder, *options, recipe=UNTRAINED)
    assert ended.returncode == 0, ended.stderr
    predicted = run("mmf_predict", folder, *options, recipe=UNTRAINED)
    assert predicted.returncode == 0, predicted.stderr
    (file,) = (folder / "save").glob("*/reports/*.json")
    found = json.loads(file.read_text())
    assert [row["id"] for row in found] == [r["id"] for r in rows if r["split"] == "test"]
    assert all(row["label"] is None and abs(row["prediction"]) < 10 for row in found)


@pytest.mark.slow
def test_unaligned_segments_are_refused_where_each_word_needs_a_frame(tmp_path, run, own):
    options = [*own[1], "model_config.cmsbert.shift.context=word"]
    ended = run("mmf_run", tmp_path / "run", *options, recipe=UNTRAINED)
    assert ended.returncode == 2
    assert "needs one frame a word, but in the train split of mosi segment clip" in ended.stderr
