"""An interrupted and resumed run ends with the same results as an uninterrupted one."""

import pytest
import torch

THREE = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5), "toy_c": (6, 4, 3)}


_whole, _whole_of_several = [], {}


@pytest.fixture
def whole(toy, tmp_path_factory):
    """The uninterrupted run with the toy's options, computed once."""
    if not _whole:
        _whole.append(toy.run(tmp_path_factory.mktemp("whole")))
    return _whole[0]


def assert_same(resumed, whole):
    # a run that is resumed at its end does not validate again
    for name, value in whole.metrics.items():
        assert resumed.metrics.get(name, None if name.startswith("test") else value) == value, name
    assert resumed.weights.keys() == whole.weights.keys()
    for key, value in whole.weights.items():
        assert torch.equal(resumed.weights[key], value), key


# Batches of 4, 6 per epoch; snapshots at updates 4, 8, 12; evaluations at 6, 12 and 14, the end.
# Each validation has 3 batches.
@pytest.mark.parametrize(
    "interrupt",
    [
        pytest.param(("train", 2), id="before the first checkpoint"),
        pytest.param(("train", 6), id="in the middle of an epoch, between two checkpoints"),
        pytest.param(("train", 7), id="at the beginning of an epoch"),
        pytest.param(("train", 11), id="in the second epoch"),
        pytest.param(("train", 13), id="after snapshot and evaluation of one update"),
        pytest.param(("val", 2), id="during the first validation"),
        pytest.param(("val", 4), id="between snapshot and evaluation of one update"),
        pytest.param(("val", 8), id="during the last validation"),
        pytest.param(("test", 1), id="during the test"),
    ],
)
def test_interrupted_anywhere(toy, tmp_path, whole, interrupt):
    toy.run(tmp_path / "broken", interrupt=interrupt)
    assert_same(toy.run(tmp_path / "broken", "checkpoint.resume=True"), whole)


def test_interrupted_twice(toy, tmp_path, whole):
    toy.run(tmp_path / "broken", interrupt=("train", 6))
    # resumed at update 4: its third batch is the one of update 7, before the next checkpoint
    toy.run(tmp_path / "broken", "checkpoint.resume=True", interrupt=("train", 3))
    toy.run(tmp_path / "broken", "checkpoint.resume=True", interrupt=("train", 5))
    assert_same(toy.run(tmp_path / "broken", "checkpoint.resume=True"), whole)


_OF_SEVERAL = ["dataset_size_proportional_sampling={}", "checkpoint_interval=1"]


@pytest.fixture(params=[True, False], ids=["proportional", "in equal shares"])
def several(request, toy, tmp_path_factory):
    """The options of a run of three datasets, and that run; made once each."""
    options = [f"training.{option}".format(request.param) for option in _OF_SEVERAL]
    if request.param not in _whole_of_several:
        folder = tmp_path_factory.mktemp("whole")
        whole = toy.run(folder, *options, dataset=",".join(THREE), sizes=THREE)
        _whole_of_several[request.param] = whole
    return options, _whole_of_several[request.param]


@pytest.mark.parametrize(
    "interrupt",
    [
        ("train", 5),
        pytest.param(("train", 10), marks=pytest.mark.slow),
        pytest.param(("train", 11), marks=pytest.mark.slow),
        ("val", 3),
    ],
)
def test_several_datasets(toy, tmp_path, several, interrupt):
    options, whole = several
    setting = {"dataset": ",".join(THREE), "sizes": THREE}
    toy.run(tmp_path / "broken", *options, interrupt=interrupt, **setting)
    resumed = toy.run(tmp_path / "broken", "checkpoint.resume=True", *options, **setting)
    assert_same(resumed, whole)


def test_worker_processes(toy, tmp_path):
    options = ["training.num_workers=1", "training.max_updates=8", "training.evaluation_interval=9"]
    whole = toy.run(tmp_path / "whole", *options)
    toy.run(tmp_path / "broken", *options, interrupt=("train", 6))
    assert_same(toy.run(tmp_path / "broken", "checkpoint.resume=True", *options), whole)


def test_epochs_instead_of_updates(toy, tmp_path):
    whole = toy.run(tmp_path / "whole", "training.max_epochs=2")
    toy.run(tmp_path / "broken", "training.max_epochs=2", interrupt=("train", 10))
    resumed = toy.run(tmp_path / "broken", "training.max_epochs=2", "checkpoint.resume=True")
    assert_same(resumed, whole)
    assert resumed.trainer.current_epoch == whole.trainer.current_epoch == 2


def test_patience_counts_from_the_best_update_before_the_interruption(toy, tmp_path):
    # The error is maximised but falls, so update 3 remains the best, and 3 + 5 < 9.
    options = [
        "training.early_stop.enabled=True",
        "training.early_stop.minimize=False",
        "training.early_stop.patience=5",
        "training.evaluation_interval=3",
        "training.max_updates=40",
    ]
    whole = toy.run(tmp_path / "whole", *options)
    toy.run(tmp_path / "broken", *options, interrupt=("train", 8))
    resumed = toy.run(tmp_path / "broken", "checkpoint.resume=True", *options)
    assert whole.trainer.early_stopping.activated and whole.trainer.num_updates < 40
    assert resumed.trainer.early_stopping.last_evaluated_update == 9
    assert_same(resumed, whole)

    ended = toy.run(tmp_path / "whole", "checkpoint.resume=True", *options)
    assert ended.trainer.model.seen["train"] == ended.trainer.model.seen["val"] == 0
    assert_same(ended, whole)

    # With that patience it would end at 12.
    patient = [option for option in options if "patience" not in option]
    patient.append("training.max_updates=15")
    further = toy.run(tmp_path / "whole", "checkpoint.resume=True", *patient)
    assert further.trainer.model.seen["train"] == 15 - 9


def test_a_run_that_made_all_updates_goes_straight_to_the_test(toy, tmp_path):
    whole = toy.run(tmp_path)
    again = toy.run(tmp_path, "checkpoint.resume=True")
    assert again.trainer.model.seen["train"] == again.trainer.model.seen["val"] == 0
    assert_same(again, whole)


def test_more_updates_go_on_where_the_run_ended(toy, tmp_path, whole):
    # the longer run also evaluates at 12
    toy.run(tmp_path / "short", "training.max_updates=12")
    resumed = toy.run(tmp_path / "short", "checkpoint.resume=True")
    assert_same(resumed, whole)


def test_resume_best_goes_on_from_the_best_checkpoint(toy, tmp_path, whole):
    toy.run(tmp_path / "broken", interrupt=("train", 11))
    options = ["checkpoint.resume=True", "checkpoint.resume_best=True"]
    resumed = toy.run(tmp_path / "broken", *options)
    assert resumed.trainer.model.seen["train"] == 14 - 6
    assert_same(resumed, whole)


def test_the_log_says_where_a_resumed_run_goes_on(toy, tmp_path):
    toy.run(tmp_path, interrupt=("train", 11))
    resumed = toy.run(tmp_path, "checkpoint.resume=true")
    file = tmp_path / "save" / "current.ckpt"
    assert f"Resuming from {file}: update 8, epoch 2 with 2 batches done" in resumed.lines


def test_the_averages_in_the_log_go_on(toy, tmp_path, whole):
    toy.run(tmp_path, interrupt=("train", 11))
    resumed = toy.run(tmp_path, "checkpoint.resume=True")
    key = "train/total_loss/avg"
    logged = [[v[key] for v in run.trainer.writer.progress if key in v] for run in (whole, resumed)]
    assert logged[0][2:] == logged[1]  # updates 9 and 12


def test_without_a_checkpoint_the_run_begins_and_says_so(toy, tmp_path, whole):
    resumed = toy.run(tmp_path / "new", "checkpoint.resume=True")
    (line,) = [line for line in resumed.lines if "checkpoint.resume" in line]
    assert "no current.ckpt" in line and str(tmp_path / "new" / "save") in line
    assert_same(resumed, whole)


def test_with_another_batch_size_the_epoch_begins_anew(toy, tmp_path):
    toy.run(tmp_path, interrupt=("train", 11))
    resumed = toy.run(tmp_path, "checkpoint.resume=True", "training.batch_size=2")
    assert any("batch size changed" in line for line in resumed.lines)
    assert resumed.trainer.num_updates == 14


def test_a_checkpoint_of_mmf_alone_goes_on_with_its_learning_rate(toy, tmp_path):
    toy.run(tmp_path, interrupt=("train", 11))
    file = tmp_path / "save" / "current.ckpt"
    checkpoint = torch.load(file, weights_only=True)
    del checkpoint["resume"]
    torch.save(checkpoint, file)
    trainer = toy.trainer(tmp_path, "checkpoint.resume=True")
    assert any("without the position" in line for line in trainer.writer.lines)
    # Warm-up of 4 updates, then decay to 0 at update 40. MMF's schedule lags by one update.
    assert trainer.optimizer.param_groups[0]["lr"] == pytest.approx(0.02 * (40 - 7) / (40 - 4))
    trainer.train()
    assert trainer.num_updates == 14


def test_another_runs_checkpoint_gives_weights_but_not_its_position(toy, tmp_path):
    toy.run(tmp_path / "other", interrupt=("train", 11))
    file = tmp_path / "other" / "save" / "current.ckpt"
    options = [f"checkpoint.resume_file={file}", "checkpoint.reset.all=True"]
    trainer = toy.trainer(tmp_path / "new", *options)
    weights = torch.load(file, weights_only=True)["model"]
    assert torch.equal(trainer.model.state_dict()["layers.0.weight"], weights["layers.0.weight"])
    assert trainer.num_updates == 0 and trainer.resume_position is None
    # with the best value of the other run this one would never save its best
    trainer.train()
    assert (tmp_path / "new" / "save" / "best.ckpt").exists()
