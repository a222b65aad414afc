"""What runs of MMF's trainer leave in their folder, and what they load from it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from mmf_cmsbert.errors import ConfigError, UserError


def snapshots(folder):
    return sorted(int(path.stem.removeprefix("model_")) for path in folder.glob("save/models/*"))


def test_all_that_a_run_saves_loads_without_executing_code(toy, tmp_path):
    toy.run(tmp_path, "checkpoint.save_git_details=True")
    files = [*tmp_path.glob("save/*.ckpt"), *tmp_path.glob("save/*.pth")]
    assert {path.name for path in files} == {"best.ckpt", "current.ckpt", "toy_model_final.pth"}
    for path in [*files, *tmp_path.glob("save/models/*")]:
        torch.load(path, weights_only=True)


@pytest.mark.parametrize(
    ("keep", "left"), [(-1, [4, 6, 8, 12, 14]), (0, []), (1, [14]), (3, [8, 12, 14])]
)
def test_max_to_keep_leaves_the_newest_snapshots(toy, tmp_path, keep, left):
    toy.run(tmp_path, f"checkpoint.max_to_keep={keep}")
    assert snapshots(tmp_path) == left
    for name in ("best.ckpt", "current.ckpt"):
        saved = torch.load(tmp_path / "save" / name, weights_only=True)
        assert saved["num_updates"] == saved["best_update"] == 14


def test_snapshots_of_an_earlier_run_go_first(toy, tmp_path):
    toy.run(tmp_path)
    toy.run(tmp_path, "checkpoint.max_to_keep=2", "training.max_updates=5")
    assert snapshots(tmp_path) == [4, 5]


@pytest.mark.parametrize("value", ["-2", "many", "1.5"])
def test_a_wrong_max_to_keep_is_named_before_training(toy, tmp_path, value):
    with pytest.raises(ConfigError, match=f"checkpoint.max_to_keep={value}"):
        toy.trainer(tmp_path, f"checkpoint.max_to_keep={value}")


def test_each_save_serialises_once(toy, tmp_path, monkeypatch):
    count = []
    save = torch.save
    monkeypatch.setattr(torch, "save", lambda *args: (count.append(1), save(*args)))
    trainer = toy.trainer(tmp_path)
    trainer.checkpoint.save(1, update_best=True)
    assert len(count) == 1
    assert len(list(tmp_path.glob("save/**/*.ckpt"))) == 3


def test_the_best_weights_are_restored_and_exported(toy, tmp_path):
    # the first of the evaluations is the best, as the error is to be large
    run = toy.run(tmp_path, "training.early_stop.minimize=False")
    best = torch.load(tmp_path / "save" / "models" / "model_6.ckpt", weights_only=True)["model"]
    final = torch.load(tmp_path / "save" / "toy_model_final.pth", weights_only=True)
    for key, value in best.items():
        assert torch.equal(run.weights[key], value) and torch.equal(final[key], value)


def test_the_best_checkpoint_of_an_earlier_run_is_not_restored(toy, tmp_path):
    old = toy.run(tmp_path)
    # the weights are nan from the first update on, and nan never improves
    new = toy.run(tmp_path, *toy.TRAIN_ON_NAN, nan_at=1)
    assert any("No evaluation gave a best checkpoint" in line for line in new.lines)
    assert new.weights["layers.0.weight"].isnan().all()
    assert not old.weights["layers.0.weight"].isnan().any()


def test_resuming_from_a_torn_checkpoint_is_one_clear_error(toy, tmp_path):
    toy.run(tmp_path, interrupt=("train", 6))
    file = tmp_path / "save" / "current.ckpt"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"current\.ckpt is damaged"):
        toy.trainer(tmp_path, "checkpoint.resume=True")


def test_resuming_with_another_model_says_that_it_does_not_fit(toy, tmp_path):
    toy.run(tmp_path, interrupt=("train", 6))
    file = tmp_path / "save" / "current.ckpt"
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["model"]["layers.0.weight"] = torch.ones(5, 5)
    torch.save(checkpoint, file)
    with pytest.raises(UserError, match=r"current\.ckpt does not fit.*layers\.0\.weight"):
        toy.trainer(tmp_path, "checkpoint.resume=True")


def test_a_resume_file_that_is_not_there_is_named(toy, tmp_path):
    with pytest.raises(ConfigError, match=r"checkpoint\.resume_file=nowhere\.ckpt"):
        toy.trainer(tmp_path, "checkpoint.resume_file=nowhere.ckpt")


def test_a_resume_that_is_neither_true_nor_false_is_named(toy, tmp_path):
    with pytest.raises(ConfigError, match=r"checkpoint\.resume=perhaps"):
        toy.trainer(tmp_path, "checkpoint.resume=perhaps")


def test_from_pretrained_executes_nothing(toy, tmp_path):
    from mmf.utils.checkpoint import load_pretrained_model

    class Program:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    zoo = tmp_path / "toy_model"
    zoo.mkdir()
    torch.save({"model": {}, "config": {"toy_model": {"x": 1}}}, zoo / "model.pth")
    assert load_pretrained_model(str(zoo))["config"] == {"x": 1}
    torch.save({"model": Program()}, zoo / "model.pth")
    with pytest.raises(UserError, match=r"model\.pth holds posix\.mkdir"):
        load_pretrained_model(str(zoo))
    assert not (tmp_path / "executed").exists()


KILLED = """
import importlib.util, pathlib, sys
import mmf_cmsbert.compat as compat
compat.activate()
spec = importlib.util.spec_from_file_location("mmf_toy", sys.argv[1])
toy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(toy)
toy.run(pathlib.Path(sys.argv[2]), "training.checkpoint_interval=1", "training.max_updates=100000")
"""


@pytest.mark.slow
def test_a_killed_run_leaves_whole_checkpoints(toy, tmp_path):
    command = [sys.executable, "-c", KILLED, str(Path(__file__).with_name("mmf_toy.py"))]
    for attempt in range(2):
        process = subprocess.Popen(
            [*command, str(tmp_path)], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        )
        while not (tmp_path / "save" / "models" / f"model_{30 + attempt}.ckpt").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for path in tmp_path.glob("save/**/*.ckpt"):
            torch.load(path, weights_only=True)
        for path in tmp_path.glob("save/models/*"):
            path.unlink()
    assert toy.trainer(tmp_path, "checkpoint.resume=True").num_updates >= 30
