"""Runs ended by a signal are resumed exactly; a run that loses a process ends.

With MMF's trainers, Lightning's, and Lightning's in two processes.
"""

import os
import signal

import pytest
from several_processes import together

from mmf_cmsbert.console import signals
from mmf_cmsbert.errors import ProcessLost

WAYS = {
    "own": ("training.trainer=base_trainer", 1),
    "lightning": ("training.trainer=lightning_cmsbert", 1),
    "two processes": ("training.trainer=lightning_cmsbert", 2),
    "mmf": ("training.trainer=mmf", 1),
}
MARKS = {way: [pytest.mark.slow] for way in WAYS if way != "own"}
MARKS["mmf"].append(pytest.mark.main("rc10 has no trainer of that name"))
_whole = {}


def run(toy, folder, way, *options):
    """Return the final metrics and weights of the first process."""
    trainer, count = WAYS[way]

    def job(rank):
        made = toy.run(folder, trainer, f"training.lightning.devices={count}", *options)
        return made.metrics, {k: v.tolist() for k, v in made.weights.items()}

    return together(job, count)[0]


def in_batch(toy, split, number, do):
    forward = toy.ToyModel.forward

    def counted(self, sample_list):
        if (sample_list.dataset_type, self.seen[split] + 1) == (split, number):
            do()
        return forward(self, sample_list)

    toy.ToyModel.forward = counted


def interrupted(toy, folder, way, moment, number, ranks):
    """Send a signal to some processes at a time of the run; return how each process ended."""
    trainer, count = WAYS[way]

    def job(rank):
        signals.install("mmf_run")
        if rank in ranks:
            in_batch(toy, *moment, lambda: os.kill(os.getpid(), number))
        try:
            made = toy.trainer(folder, trainer, f"training.lightning.devices={count}")
            with signals.raised():
                made.train()
        except signals.Interrupted as error:
            return error.status, made.num_updates
        return 0, made.num_updates

    return together(job, count)


# Batches of 4, 6 per epoch, 14 updates; evaluations at 6, 12 and at the end.
MOMENTS = {
    "in the first update": ("train", 1),
    "in the middle of an epoch": ("train", 4),
    "in the last update before a validation": ("train", 6),
    "in a validation": ("val", 1),
    "in the last update": ("train", 14),
}


@pytest.mark.parametrize("way", [pytest.param(way, marks=MARKS.get(way, ())) for way in WAYS])
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_interrupted_and_resumed(toy, tmp_path, tmp_path_factory, way, moment):
    if way not in _whole:
        _whole[way] = run(toy, tmp_path_factory.mktemp("whole"), way)
    ended = interrupted(toy, tmp_path, way, moment, signal.SIGTERM, {0})
    metrics, weights = run(toy, tmp_path, way, "checkpoint.resume=True")
    assert {status for status, _ in ended} == {143}
    assert len({updates for _, updates in ended}) == 1
    assert weights == _whole[way][1]
    assert all(_whole[way][0][name] == value for name, value in metrics.items())


@pytest.mark.parametrize("ranks", [{0}, pytest.param({1}, marks=pytest.mark.slow), {0, 1}])
def test_a_signal_to_any_process_ends_all_with_its_status(toy, tmp_path, ranks):
    moment = ("train", 3)
    ended = interrupted(toy, tmp_path, "two processes", moment, signal.SIGUSR1, ranks)
    assert [status for status, _ in ended] == [138, 138]
    assert (tmp_path / "save" / "current.ckpt").is_file()


def test_whoever_loses_a_process_says_so(toy, tmp_path):
    def job(rank):
        if rank == 1:
            in_batch(toy, "train", 3, lambda: os._exit(0))
        with pytest.raises(ProcessLost, match="add checkpoint.resume=true") as raised:
            toy.run(tmp_path, "training.trainer=lightning_cmsbert", "training.lightning.devices=2")
        return str(raised.value)

    (said,) = together(job, 2, answers=1)
    assert "after update 2" in said and "\n" not in said
