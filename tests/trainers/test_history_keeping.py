"""A recorded run writes its history with every trainer, also if it is resumed."""

import pytest

from mmf_cmsbert.records import history
from mmf_cmsbert.records.history import Training, Validation
from mmf_cmsbert.records.run_record import recorded

OPTIONS = ["training.log_interval=5"]


def run(toy, folder, *options, **kwargs):
    """A recorded run of the toy: 14 updates, saved at 4, 8 and 12, validated at 6, 12 and 14."""
    config = {
        "datasets": "toy_a",
        "model": "toy_model",
        "env": {"save_dir": str(folder / "save")},
        "training": {"early_stop": {"criteria": "toy_a/toy_error", "minimize": True}},
    }
    with recorded(["mmf_run"], config):
        made = toy.run(folder, *OPTIONS, *options, **kwargs)
    return made, history.read(folder / "save")


@pytest.mark.parametrize("trainer", ["base_trainer", "lightning_cmsbert"])
def test_losses_and_validations_of_a_run(toy, tmp_path, trainer):
    made, entries = run(toy, tmp_path, f"training.trainer={trainer}")
    losses = [each for each in entries if isinstance(each, Training)]
    assert [each.update for each in losses] == [4, 5, 6, 8, 10, 12, 14]
    assert [each.averaged for each in losses] == [4, 1, 1, 2, 2, 2, 2]
    assert all(set(each.losses) == {"toy_a/square"} for each in losses)
    assert losses[-1].losses["toy_a/square"] < losses[0].losses["toy_a/square"]
    assert losses[1].learning_rate > losses[-1].learning_rate > 0
    validations = [each for each in entries if isinstance(each, Validation)]
    assert [each.update for each in validations] == [6, 12, 14]
    logged = made.metrics["val/toy_a/toy_error"]
    assert validations[-1].validation["toy_a/toy_error"] == pytest.approx(float(logged), abs=1e-4)
    assert validations[0].validation["toy_a/square"] > 0


@pytest.mark.parametrize("trainer", ["base_trainer", "lightning_cmsbert"])
@pytest.mark.parametrize(
    "interrupt",
    [
        pytest.param(("train", 2), id="before the first checkpoint"),
        pytest.param(("train", 7), id="between two checkpoints"),
        pytest.param(("val", 2), id="during the first validation"),
        pytest.param(("val", 4), id="between checkpoint and validation of one update"),
    ],
)
def test_a_resumed_run_has_the_history_of_one_without_interruption(
    toy, tmp_path, trainer, interrupt
):
    options = [f"training.trainer={trainer}"]
    _, whole = run(toy, tmp_path / "whole", *options)
    run(toy, tmp_path / "broken", *options, interrupt=interrupt)
    _, resumed = run(toy, tmp_path / "broken", "checkpoint.resume=True", *options)
    assert resumed == whole


def test_each_dataset_has_its_losses(toy, tmp_path):
    sizes = {"toy_a": (10, 5, 6), "toy_b": (23, 9, 5)}
    _, entries = run(toy, tmp_path, dataset="toy_a,toy_b", sizes=sizes)
    names = {name for each in entries if isinstance(each, Training) for name in each.losses}
    assert names == {"toy_a/square", "toy_b/square"}


def test_a_run_without_a_record_keeps_no_history(toy, tmp_path):
    toy.run(tmp_path)
    assert not list(tmp_path.rglob(history.NAME))
