"""Runs that are killed (SIGKILL) leave complete checkpoints, and are resumed exactly.

With MMF's trainer, Lightning's, and Lightning's in two processes.
"""

import io
import os
import signal

import pytest
import torch
from several_processes import killed, together

WAYS = {
    "own": ("training.trainer=base_trainer", 1),
    "lightning": ("training.trainer=lightning_cmsbert", 1),
    "two processes": ("training.trainer=lightning_cmsbert", 2),
}
_whole = {}


def run(toy, folder, way, *options):
    """Return the final metrics and weights of the first process."""
    trainer, count = WAYS[way]

    def job(rank):
        made = toy.run(folder, trainer, f"training.lightning.devices={count}", *options)
        return made.metrics, {k: v.tolist() for k, v in made.weights.items()}

    return together(job, count)[0]


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def in_batch(toy, split, number):
    forward = toy.ToyModel.forward

    def dying(self, sample_list):
        if (sample_list.dataset_type, self.seen[split] + 1) == (split, number):
            die()
        return forward(self, sample_list)

    toy.ToyModel.forward = dying


def while_written(toy, number):
    save, calls = torch.save, []

    def dying(contents, file, **options):
        calls.append(file)
        if len(calls) < number:
            return save(contents, file, **options)
        whole = io.BytesIO()
        save(contents, whole)
        file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
        file.flush()
        die()

    torch.save = dying


def before_it_is_put_in_place(toy, number):
    replace, calls = os.replace, []

    def dying(*args):
        calls.append(args)
        if len(calls) == number:
            die()
        replace(*args)

    os.replace = dying


# Batches of 4, 6 per epoch; snapshots at updates 4, 8, 12; evaluations at 6, 12 and 14, the end.
# A snapshot is written twice, as models/model_N.ckpt and current.ckpt, and after an improvement
# as best.ckpt too.
MOMENTS = {
    "in the middle of an epoch": (in_batch, ("train", 6)),
    "in a validation": (in_batch, ("val", 2)),
    "while the best checkpoint is written": (while_written, (2,)),
    "while a snapshot is written": (while_written, (3,)),
    "between two of its names": (before_it_is_put_in_place, (4,)),
    "between best and current": (before_it_is_put_in_place, (5,)),
}
OFTEN = {("own", name) for name in MOMENTS} | {
    ("lightning", "in a validation"),
    ("lightning", "while a snapshot is written"),
    ("lightning", "between best and current"),
}


@pytest.mark.parametrize(
    ("way", "moment", "details"),
    [
        pytest.param(
            way, *each, id=f"{name}-{way}", marks=[pytest.mark.slow] * ((way, name) not in OFTEN)
        )
        for way in WAYS
        for name, each in MOMENTS.items()
    ],
)
def test_killed_and_resumed(toy, tmp_path, tmp_path_factory, way, moment, details):
    trainer, count = WAYS[way]
    if way not in _whole:
        _whole[way] = run(toy, tmp_path_factory.mktemp("whole"), way)

    def job(rank):
        if rank == 0:
            moment(toy, *details)
        toy.run(tmp_path, trainer, f"training.lightning.devices={count}")

    killed(job, count)
    for file in (tmp_path / "save").rglob("*.ckpt"):
        assert torch.load(file, weights_only=True)["num_updates"] > 0, file
    metrics, weights = run(toy, tmp_path, way, "checkpoint.resume=True")
    assert weights == _whole[way][1]
    assert any(name.startswith("test/") for name in metrics)
    assert all(_whole[way][0][name] == value for name, value in metrics.items())
