"""Several processes (gloo, CPU) compute the same as one, with Lightning's trainer and MMF's.

Here they are forked, then joined as MMF joins those of torchrun; `test_torchrun.py` has real ones.
"""

import random

import pytest
import torch
from several_processes import start_as_mmf_does, together

LIGHTNING = "training.trainer=lightning_cmsbert"
OWN = "training.trainer=base_trainer"
both = pytest.mark.parametrize("trainer", [LIGHTNING, OWN], ids=["lightning", "own"])
THREE = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5), "toy_c": (6, 4, 3)}


@pytest.fixture
def exact(toy, monkeypatch):
    """The toy with a model and data without random numbers."""
    build = toy.ToyModel.build

    def without_dropout(self):
        build(self)
        self.layers[2].p = 0.0

    monkeypatch.setattr(toy.ToyModel, "build", without_dropout)
    monkeypatch.setattr(
        toy.ToyDataset,
        "__getitem__",
        lambda self, i: toy.Sample({"x": self.x[i], "targets": self.y[i], "id": torch.tensor(i)}),
    )


def run_together(toy, folder, trainer, *options, count=2, interrupt=None, **setting):
    """Return metrics, weights, number of updates and log of a run of several processes.

    With `interrupt` each is interrupted, in a batch of its own.
    """
    folder.mkdir(exist_ok=True)

    def job(rank):
        random.seed(rank)
        if trainer == OWN:
            start_as_mmf_does(rank, count)
        words = [trainer, f"training.lightning.devices={count}", *options]
        run = toy.run(folder, *words, interrupt=interrupt and interrupt[rank], **setting)
        weights = {k.removeprefix("module."): v.tolist() for k, v in run.weights.items()}
        return run.metrics, weights, run.trainer.num_updates, run.trainer.writer.progress

    return together(job, count)


def assert_close(run, expected):
    metrics, weights, *_ = run
    assert metrics.keys() == expected.metrics.keys()
    for name, value in expected.metrics.items():
        assert float(metrics[name]) == pytest.approx(float(value), abs=1.01e-4), name
    for name, value in expected.weights.items():
        torch.testing.assert_close(torch.tensor(weights[name]), value, rtol=0, atol=1e-5)


@both
def test_they_train_as_one_process_does(toy, tmp_path, exact, trainer):
    # Batches of 4, 4 and 1: the last has fewer samples than there are processes.
    options = ["training.clip_gradients=True", "training.max_grad_l2_norm=1"]
    options.append("training.log_interval=1")
    setting = {"sizes": {"toy_a": (9, 9, 7)}}
    expected = toy.run(tmp_path / "one", *options, **setting)
    run, other = run_together(toy, tmp_path / "several", trainer, *options, **setting)
    assert_close(run, expected)
    assert other[1] == run[1]
    # also the losses in the log, including those of a last batch with one sample
    logged = [
        [float(line["train/toy_a/square"]) for line in lines if "train/toy_a/square" in line]
        for lines in (run[3], expected.trainer.writer.progress)
    ]
    assert len(logged[1]) >= 14 and logged[0] == pytest.approx(logged[1], abs=1.01e-4)


@both
def test_epochs_are_counted_as_by_one_process(toy, tmp_path, exact, trainer):
    expected = toy.run(tmp_path / "one", "training.max_epochs=2")
    run, _ = run_together(toy, tmp_path / "several", trainer, "training.max_epochs=2")
    assert_close(run, expected)
    assert run[2] == expected.trainer.num_updates == 12


@both
def test_several_datasets_are_scored_as_by_one_process(toy, tmp_path, trainer):
    setting = {"dataset": "toy_a,toy_b,toy_c", "sizes": THREE}
    run, other = run_together(toy, tmp_path, trainer, "run_type=train_val_test", **setting)
    assert other[1] == run[1]
    options = ["run_type=val_test", f"checkpoint.resume_file={tmp_path}/save/best.ckpt"]
    assert_close(run, toy.run(tmp_path, *options, **setting))


@both
def test_patience_and_the_best_checkpoint_are_those_of_one_process(toy, tmp_path, exact, trainer):
    options = ["training.early_stop.enabled=True", "training.early_stop.patience=3"]
    options += ["training.early_stop.minimize=False", "training.evaluation_interval=2"]
    expected = toy.run(tmp_path / "one", *options)
    run, other = run_together(toy, tmp_path / "several", trainer, *options)
    assert_close(run, expected)
    assert run[2] == expected.trainer.num_updates < 14
    assert other[1] == run[1]


@both
@pytest.mark.parametrize("count", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_predictions_are_those_of_one_process(toy, tmp_path, trainer, count):
    toy.run(tmp_path, "training.max_updates=2")
    options = ["run_type=predict", "evaluation.predict=True", "training.batch_size=6"]
    options += [
        "evaluation.predict_file_format=csv",
        f"checkpoint.resume_file={tmp_path}/save/best.ckpt",
    ]
    setting = {"dataset": "toy_a,toy_b", "sizes": THREE}
    toy.run(tmp_path, *options, f"env.report_dir={tmp_path}/one", **setting)
    options += [f"env.report_dir={tmp_path}/several"]
    run_together(toy, tmp_path, trainer, *options, count=count, **setting)
    for name in ("toy_a", "toy_b"):
        (one,), (several,) = (
            list((tmp_path / folder).glob(f"{name}*.csv")) for folder in ("one", "several")
        )
        assert several.read_text() == one.read_text()


@both
@pytest.mark.parametrize(
    "run_type",
    [
        pytest.param("val", marks=pytest.mark.slow),
        pytest.param("inference", marks=pytest.mark.slow),
        "val_test",
    ],
)
def test_runs_without_training_are_scored_as_by_one_process(toy, tmp_path, trainer, run_type):
    toy.run(tmp_path, "training.max_updates=2")
    options = [f"run_type={run_type}", f"checkpoint.resume_file={tmp_path}/save/best.ckpt"]
    expected = toy.run(tmp_path, *options)
    run, _ = run_together(toy, tmp_path, trainer, *options)
    assert run[0] == expected.metrics


IN_TRAINING = [("train", 11), ("train", 11)]
# in the second validation, whose three batches are divided
IN_VALIDATION = [("val", 3), ("val", 2)]


@pytest.mark.parametrize(
    ("trainer", "interrupt"),
    [
        (LIGHTNING, IN_TRAINING),
        pytest.param(LIGHTNING, IN_VALIDATION, marks=pytest.mark.slow),
        pytest.param(OWN, IN_TRAINING, marks=pytest.mark.slow),
        (OWN, IN_VALIDATION),
    ],
)
def test_interrupted_and_resumed_they_end_as_if_they_had_not_been(
    toy, tmp_path, trainer, interrupt
):
    # With random numbers, which differ between processes.
    (whole, other) = run_together(toy, tmp_path / "whole", trainer)
    assert other[1] == whole[1]
    run_together(toy, tmp_path / "broken", trainer, interrupt=interrupt)
    resumed, _ = run_together(toy, tmp_path / "broken", trainer, "checkpoint.resume=True")
    assert resumed[1] == whole[1]
    assert all(whole[0][name] == value for name, value in resumed[0].items())


@both
def test_parameters_without_a_part_in_the_loss_need_no_setting(
    toy, tmp_path, exact, monkeypatch, trainer
):
    build = toy.ToyModel.build

    def with_more(self):
        build(self)
        self.more = torch.nn.Linear(2, 2)

    monkeypatch.setattr(toy.ToyModel, "build", with_more)
    expected = toy.run(tmp_path / "one")
    run, _ = run_together(toy, tmp_path / "several", trainer)
    assert_close(run, expected)


def test_on_two_machines_they_train_as_one_process_does(toy, tmp_path, exact):
    expected = toy.run(tmp_path / "one")
    (tmp_path / "two").mkdir()

    def job(rank):
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setenv("NODE_RANK", str(rank))
        monkeypatch.setenv("LOCAL_RANK", "0")
        nodes = ["training.lightning.devices=1", "training.lightning.num_nodes=2"]
        run = toy.run(tmp_path / "two", LIGHTNING, *nodes)
        assert run.trainer.ranks.count == 2 and run.trainer.ranks.rank == rank
        weights = {k: v.tolist() for k, v in run.weights.items()}
        return run.metrics, weights

    first, second = together(job)
    assert_close(first, expected)
    assert first[1] == second[1]


def test_bf16_and_batches_that_are_added_up(toy, tmp_path, exact):
    options = ["training.lightning.precision=bf16", "training.lightning.accumulate_grad_batches=2"]
    expected = toy.run(tmp_path / "one", LIGHTNING, *options)
    run, other = run_together(toy, tmp_path / "two", LIGHTNING, *options)
    assert run[2] == expected.trainer.num_updates == 14
    assert other[1] == run[1]
    # Gradients in bf16 have 8 bits, and are rounded in each part of a batch.
    for name, value in expected.weights.items():
        torch.testing.assert_close(torch.tensor(run[1][name]), value, rtol=0, atol=0.05)


def test_a_checkpoint_of_several_processes_goes_on_in_one(toy, tmp_path, exact):
    expected = toy.run(tmp_path / "one")
    run_together(toy, tmp_path / "several", LIGHTNING, interrupt=[("train", 11)] * 2)
    resumed = toy.run(tmp_path / "several", "checkpoint.resume=True")
    for name, value in expected.weights.items():
        torch.testing.assert_close(resumed.weights[name], value, rtol=0, atol=1e-5)
