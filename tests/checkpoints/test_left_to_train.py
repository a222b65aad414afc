"""Checkpoints that have reached or exceeded the length of the current run."""

import pytest

from mmf_cmsbert.checkpoints import left_to_train


@pytest.mark.parametrize(
    ("updates", "epochs", "max_updates", "max_epochs", "limit"),
    [
        (6, 2, 2, None, "training.max_updates=2"),
        (6, 2, 6, None, "training.max_updates=6"),
        (5, 2, 6, None, None),
        (6, 2, None, 2, "training.max_epochs=2"),
        (6, 2, None, 3, None),
    ],
)
def test_a_limit_that_is_reached_is_named(updates, epochs, max_updates, max_epochs, limit):
    found = left_to_train.reached_limit(updates, epochs, max_updates, max_epochs)
    assert found == limit


def test_the_refusal_names_the_ways_on():
    message = left_to_train.other_run("x.ckpt", 6, "training.max_epochs=2")
    for way in ("larger training.max_epochs", "checkpoint.reset.all=true", "run_type=test"):
        assert way in message
    assert "checkpoint.resume_pretrained=true" in message
