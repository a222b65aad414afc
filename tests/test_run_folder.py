"""A trained run is reused by its folder, its configuration or its checkpoint."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from typer.testing import CliRunner

from mmf_cmsbert.checkpoints import contents
from mmf_cmsbert.commands import app
from mmf_cmsbert.predictor import SentimentPredictor
from mmf_cmsbert.predictor.sources import read_segments

RECIPE = [
    "config=projects/cmsbert/demo.yaml",
    "dataset_config.mosi.synthetic.train=24",
    "dataset_config.mosi.synthetic.val=8",
    "dataset_config.mosi.synthetic.test=8",
    "dataset_config.mosi.normalise=corpus",
    "model_config.cmsbert.shift.gate=sigmoid",
    "training.max_updates=4",
    "training.evaluation_interval=2",
    "training.batch_size=8",
    "training.log_interval=1",
    "training.report=false",
]


@pytest.fixture(scope="module")
def run(typed_commands):
    return typed_commands.run


@pytest.fixture(scope="module", autouse=True)
def no_save_dir():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MMF_SAVE_DIR", raising=False)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory, run):
    """A working folder with a run, made with relative paths."""
    folder = tmp_path_factory.mktemp("home")
    words = [*RECIPE, "dataset_config.mosi.data_dir=data", "env.save_dir=./save/run"]
    done = run("mmf_run", words, folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def log(done):
    """Return MMF's log, which rc10 writes to stdout, and main in colours to stderr."""
    return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)


def predictions(done):
    assert done.returncode == 0, done.stdout + done.stderr
    file = re.findall(r"redictions for mosi to (\S+)", log(done))[0]
    return {row["id"]: row["prediction"] for row in json.loads(Path(file).read_text())}


def scores(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return log(done).split("test/total_loss")[1].split("\n")[0]


@pytest.fixture(scope="module")
def expected(run, home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("anywhere")
    return predictions(run("mmf_predict", [f"env.save_dir={home}/save/run"], folder))


@pytest.mark.parametrize(
    "words",
    [
        ["config={run}/config.yaml"],
        pytest.param(
            ["checkpoint.resume_file={run}/best.ckpt", "env.save_dir=here"], marks=pytest.mark.slow
        ),
        pytest.param(["config={run}/config.yaml", "env.save_dir=here"], marks=pytest.mark.slow),
    ],
)
def test_each_way_to_name_a_run_predicts_the_same_from_any_folder(
    run, home, expected, tmp_path, words
):
    words = [word.format(run=home / "save" / "run") for word in words]
    assert predictions(run("mmf_predict", words, tmp_path)) == expected


def test_the_model_of_a_finished_run_predicts_its_test_split_as_the_run_does(home, expected):
    segments = read_segments(home / "data" / "test.pkl", "test")
    found = {each.id: each.score for each in SentimentPredictor(home / "save/run").stream(segments)}
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_configuration_of_the_first_release_predicts_the_same(run, home, expected, tmp_path):
    """That release saved relative paths, and keys that MMF adds when it starts."""
    old = shutil.copytree(home / "save" / "run", tmp_path / "save" / "run")
    shutil.copytree(home / "data", tmp_path / "data")
    config = yaml.safe_load((old / "config.yaml").read_text())
    config["env"]["save_dir"] = "./save/run"
    config["dataset_config"]["mosi"]["data_dir"] = "data"
    config |= {"start_rank": 0, "device_id": 0}
    (old / "config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "elsewhere").mkdir()
    done = run("mmf_predict", [f"config={old}/config.yaml"], tmp_path / "elsewhere")
    assert predictions(done) == expected


@pytest.fixture(scope="module")
def exported(home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    done = CliRunner().invoke(app, ["export", str(home / "save" / "run"), str(folder)])
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("key", ["resume_file", pytest.param("resume_zoo", marks=pytest.mark.slow)])
def test_mmf_predicts_the_same_with_an_exported_model(run, home, tmp_path, expected, exported, key):
    words = [*RECIPE, f"dataset_config.mosi.data_dir={home}/data", f"checkpoint.{key}={exported}"]
    done = run("mmf_predict", [*words, "env.save_dir=new"], tmp_path)
    assert predictions(done) == pytest.approx(expected, abs=1e-6)


def test_mmf_refuses_an_exported_model_of_another_configuration(run, home, tmp_path, exported):
    words = [*RECIPE, f"dataset_config.mosi.data_dir={home}/data", "env.save_dir=new"]
    words += [f"checkpoint.resume_file={exported}", "model_config.cmsbert.shift.gate=relu"]
    done = run("mmf_predict", words, tmp_path)
    assert done.returncode == 2 and "gate is relu; trained with sigmoid" in done.stderr


def test_an_exported_run_predicts_the_same(home, tmp_path, expected, exported):
    data, file = home / "data" / "test.pkl", tmp_path / "a.jsonl"
    words = ["predict", exported, "--input", data, "--output", file]
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 0, done.output
    rows = map(json.loads, file.read_text().splitlines())
    found = {row["id"]: row["prediction"] for row in rows}
    assert found == pytest.approx(expected, abs=1e-6)
    config = json.loads((exported / "config.json").read_text())
    record = json.loads((home / "save" / "run" / "run.json").read_text())
    assert config["training"]["test"] == record["test"]
    assert config["training"]["synthetic"] == ["mosi"]


def test_a_prediction_leaves_the_configuration_of_the_training_alone(home, expected):
    config = yaml.safe_load((home / "save" / "run" / "config.yaml").read_text())
    assert config["run_type"] == "train_inference" and config["evaluation"]["predict"] is False


@pytest.mark.slow
def test_a_runs_configuration_makes_the_same_run_again(run, home, tmp_path):
    words = [f"config={home}/save/run/config.yaml", "env.save_dir=again"]
    again = run("mmf_run", words, tmp_path)
    first = json.loads((home / "save" / "run" / "run.json").read_text())
    assert scores(again)
    second = json.loads((tmp_path / "again" / "run.json").read_text())
    assert (first["test"], first["best"]) == (second["test"], second["best"])
    # The file that MMF read was deleted with its process.
    kept = yaml.safe_load((tmp_path / "again" / "config.yaml").read_text())
    assert "config" not in kept and "config" not in second["config"]


@pytest.mark.parametrize(
    ("words", "named"),  # tests/config/test_trained.py tests every key
    [
        ([*RECIPE, "model_config.cmsbert.shift.gate=relu"], "gate is relu; trained with sigmoid"),
        pytest.param(
            *(["model_config.cmsbert.frames.heads=2"], "frames.heads is 2; trained with 4"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(["dataset_config.mosi.normalise=none"], "normalise is none; trained with corpus"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(
                ["run_type=val", "dataset_config.mosi.max_frames=3"],
                "max_frames is 3; trained with 500",
            ),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            *(["dataset=mosei"], "dataset is mosei; trained with mosi"), marks=pytest.mark.slow
        ),
    ],
)
def test_another_configuration_than_was_trained_is_refused(run, home, tmp_path, words, named):
    done = run("mmf_predict", [*words, f"env.save_dir={home}/save/run"], tmp_path)
    assert done.returncode == 2 and named in done.stderr, done.stderr
    assert "trained with another configuration" in done.stderr and "Type " in done.stderr


def test_resuming_with_another_configuration_is_refused(run, home):
    words = ["env.save_dir=save/run", "checkpoint.resume=true", "training.max_updates=9"]
    done = run("mmf_run", [*words, "model_config.cmsbert.backbone.pooling=cls"], home)
    assert done.returncode == 2 and "pooling is cls; trained with mean" in done.stderr


@pytest.mark.slow
def test_resuming_with_the_backbone_frozen_is_refused_and_a_new_run_is_not(run, home, tmp_path):
    frozen = "model_config.cmsbert.finetune_lr_multiplier=0"
    done = run("mmf_run", ["config=save/run/config.yaml", "checkpoint.resume=true", frozen], home)
    assert done.returncode == 2
    assert "finetune_lr_multiplier is 0 (the backbone is frozen)" in done.stderr
    begin = [f"checkpoint.resume_file={home}/save/run/best.ckpt", "checkpoint.reset.all=true"]
    words = [*RECIPE, f"dataset_config.mosi.data_dir={home}/data", frozen, *begin]
    done = run("mmf_run", [*words, f"env.save_dir={tmp_path}/frozen"], tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_evaluating_reads_no_other_split(run, home, tmp_path):
    data = shutil.copytree(home / "data", tmp_path / "data")
    for name in ("train.pkl", "dev.pkl"):
        (data / name).unlink()
    words = [f"env.save_dir={home}/save/run", f"dataset_config.mosi.data_dir={data}"]
    words += [f"dataset_config.mosi.store_dir={tmp_path}/stores"]
    done = run("mmf_run", [*words, "run_type=test"], tmp_path)
    first = json.loads((home / "save" / "run" / "run.json").read_text())["test"]
    assert f"test/mosi/sentiment_mae: {first['mosi/sentiment_mae']:.4f}" in log(done)
    assert not (data / "train.pkl").exists() and not (data / "dev.pkl").exists()


@pytest.mark.slow
def test_evaluating_random_weights_is_refused(run, tmp_path):
    done = run("mmf_run", [*RECIPE, "run_type=test", "env.save_dir=none"], tmp_path)
    assert done.returncode == 2 and "there is no trained model to evaluate" in done.stderr


def test_a_folder_without_a_run_is_named(run, tmp_path):
    done = run("mmf_predict", ["env.save_dir=nothing"], tmp_path)
    assert done.returncode == 2
    assert "env.save_dir=nothing contains no configuration of a run" in done.stderr


@pytest.mark.parametrize(
    "trainer", ["base_trainer", pytest.param("lightning_cmsbert", marks=pytest.mark.slow)]
)
def test_another_runs_checkpoint_with_nothing_left_is_refused(run, home, tmp_path, trainer):
    weights = f"checkpoint.resume_file={home}/save/run/current.ckpt"
    words = [weights, f"training.trainer={trainer}", "env.save_dir=new"]
    done = run("mmf_run", words, tmp_path)
    assert done.returncode == 2 and "nothing would be trained" in done.stderr
    assert "checkpoint.reset" in done.stderr and "resume_pretrained" in done.stderr


@pytest.mark.slow
def test_a_finished_run_that_is_resumed_says_so_and_is_scored(run, home, tmp_path):
    copy = shutil.copytree(home / "save" / "run", tmp_path / "run")
    done = run("mmf_run", [f"env.save_dir={copy}", "checkpoint.resume=true"], home)
    assert "nothing is left to train" in log(done) and scores(done)


@pytest.mark.slow
@pytest.mark.parametrize("trainer", ["base_trainer", "lightning_cmsbert"])
def test_parts_of_a_run_begin_another_with_seven_classes(run, home, tmp_path, trainer):
    recipe = tmp_path / "parts.yaml"
    mapping = "{network.backbone: network.backbone, network.head: network.head}"
    recipe.write_text(
        f"includes: [projects/cmsbert/demo.yaml]\ncheckpoint:\n  resume_pretrained: true\n"
        f"  resume_file: {home}/save/run/best.ckpt\n  pretrained_state_mapping: {mapping}\n"
    )
    words = [f"config={recipe}", *RECIPE[1:], "model_config.cmsbert.head.classes=7"]
    words += ["model_config.cmsbert.losses=[{type: sentiment_classification}]"]
    words += [f"training.trainer={trainer}", "env.save_dir=seven", "optimizer.params.lr=0.0"]
    words += [f"dataset_config.mosi.data_dir={home}/data"]
    done = run("mmf_run", words, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 skipped because of another shape: network.head.weight ((7, " in log(done)
    kept = contents.load(home / "save/run/best.ckpt")["model"]
    model = contents.load(tmp_path / "seven/current.ckpt")["model"]
    name = "backbone.embeddings.word_embeddings.weight"
    assert torch.equal(model[f"network.{name}"], kept[f"network.{name}"])
    assert torch.allclose(model[f"ema.module.{name}"], kept[f"network.{name}"], atol=1e-6)
    # A later prediction uses the new run, not the weights that it started from.
    assert predictions(run("mmf_predict", ["config=seven/config.yaml"], tmp_path))


@pytest.mark.slow
def test_a_mapping_that_fits_nothing_is_refused(run, home, tmp_path):
    words = [*RECIPE, f"checkpoint.resume_file={home}/save/run/best.ckpt", "env.save_dir=wrong"]
    words += ["checkpoint.resume_pretrained=true", f"dataset_config.mosi.data_dir={home}/data"]
    words += ["checkpoint.pretrained_state_mapping={network.bakbone: network.backbone}"]
    done = run("mmf_run", words, tmp_path)
    assert done.returncode == 2 and "This model has no part 'network.bakbone'" in done.stderr
