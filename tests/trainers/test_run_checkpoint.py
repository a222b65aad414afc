"""Files that runs of MMF's trainer write to their folder, and load from it."""

import os
import signal
import subprocess
import sys
import time

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
    # the first evaluation is the best, because the error is maximised
    run = toy.run(tmp_path, "training.early_stop.minimize=False")
    best = torch.load(tmp_path / "save" / "models" / "model_6.ckpt", weights_only=True)["model"]
    final = torch.load(tmp_path / "save" / "toy_model_final.pth", weights_only=True)["model"]
    assert (tmp_path / "save" / "toy_model_final.pth").samefile(tmp_path / "save" / "best.ckpt")
    for key, value in best.items():
        assert torch.equal(run.weights[key], value) and torch.equal(final[key], value)


def test_the_best_weights_are_read_when_the_optimizers_state_is_free(toy, tmp_path, monkeypatch):
    from mmf_cmsbert.trainers.run_checkpoint import RunCheckpoint

    left, load = [], RunCheckpoint._load

    def watched(self, file, force=False, **given):
        grads = [p for p in self.trainer.model.parameters() if p.grad is not None]
        left.append((force, len(self.trainer.optimizer.state) + len(grads)))
        load(self, file, force=force, **given)

    monkeypatch.setattr(RunCheckpoint, "_load", watched)
    toy.run(tmp_path)
    assert left == [(True, 0)]


def test_the_best_checkpoint_of_an_earlier_run_is_not_restored(toy, tmp_path, monkeypatch):
    old = toy.run(tmp_path)
    # nan never improves
    nan = torch.tensor(float("nan"))
    monkeypatch.setattr(toy.ToyError, "calculate", lambda *args, **kwargs: nan)
    new = toy.run(tmp_path, "training.seed=4")
    assert any("No evaluation saved a best checkpoint" in line for line in new.lines)
    assert not torch.equal(new.weights["layers.0.weight"], old.weights["layers.0.weight"])


def test_weights_that_become_nan_are_not_saved(toy, tmp_path):
    from mmf_cmsbert.trainers.run_checks import WeightsNotFiniteError

    with pytest.raises(WeightsNotFiniteError, match=r"at update 8 .*layers\.0\.\w+ first"):
        toy.run(tmp_path, *toy.TRAIN_ON_NAN, nan_at=7)
    assert snapshots(tmp_path) == [4, 6]
    current = torch.load(tmp_path / "save" / "current.ckpt", weights_only=True)
    assert current["num_updates"] == 6
    assert current["model"]["layers.0.weight"].isfinite().all()


def test_resuming_with_another_model_says_that_it_does_not_fit(toy, tmp_path):
    toy.run(tmp_path, interrupt=("train", 6))
    file = tmp_path / "save" / "current.ckpt"
    checkpoint = torch.load(file, weights_only=True)
    checkpoint["model"]["layers.0.weight"] = torch.ones(5, 5)
    torch.save(checkpoint, file)
    with pytest.raises(UserError, match=r"current\.ckpt does not fit.*layers\.0\.weight"):
        toy.trainer(tmp_path, "checkpoint.resume=True")


def test_a_list_is_no_checkpoint(toy, tmp_path):
    torch.save([torch.ones(2)], tmp_path / "list.pth")
    with pytest.raises(UserError, match=r"list\.pth cannot be used: expected a dict"):
        toy.trainer(tmp_path, f"checkpoint.resume_file={tmp_path / 'list.pth'}")


def test_weights_of_another_model_are_not_loaded_as_if_they_fitted(toy, tmp_path):
    torch.save({"other.weight": torch.ones(2)}, tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"4 weights of the model are not in it.*1 of its weights"):
        toy.trainer(tmp_path, f"checkpoint.resume_file={tmp_path / 'other.pth'}")


def test_training_may_begin_with_a_part_of_the_weights(toy, tmp_path):
    torch.save({"layers.0.weight": torch.ones(8, 4)}, tmp_path / "part.pth")
    option = f"checkpoint.resume_file={tmp_path / 'part.pth'}"
    trainer = toy.trainer(tmp_path, option)
    assert trainer.model.state_dict()["layers.0.weight"].eq(1).all()
    with pytest.raises(UserError, match="3 weights of the model are not in it"):
        toy.trainer(tmp_path, option, "run_type=test")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("key", ["resume_file", "resume_zoo"])
def test_what_is_no_file_is_refused_at_once(toy, tmp_path, make, key):
    make(tmp_path / "toy_model.ckpt")
    with pytest.raises(UserError, match=r"toy_model\.ckpt"):
        toy.trainer(tmp_path, f"checkpoint.{key}={tmp_path / 'toy_model.ckpt'}")


def test_a_resume_file_that_is_not_there_is_named(toy, tmp_path):
    with pytest.raises(ConfigError, match=r"checkpoint\.resume_file=nowhere\.ckpt"):
        toy.trainer(tmp_path, "checkpoint.resume_file=nowhere.ckpt")


def test_a_resume_that_is_neither_true_nor_false_is_named(toy, tmp_path):
    with pytest.raises(ConfigError, match=r"checkpoint\.resume=perhaps"):
        toy.trainer(tmp_path, "checkpoint.resume=perhaps")


KILLED = """
import pathlib, sys
import mmf_cmsbert
import mmf_toy
options = "training.checkpoint_interval=1", "training.max_updates=100000"
mmf_toy.run(pathlib.Path(sys.argv[1]), *options)
"""


@pytest.mark.slow
def test_a_killed_run_leaves_whole_checkpoints(toy, tmp_path):
    command = [sys.executable, "-c", KILLED]
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
