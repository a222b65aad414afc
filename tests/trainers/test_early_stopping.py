"""The update at which training stops early, and the monitored value."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from mmf_cmsbert.errors import ConfigError


class Checkpoint:
    def __init__(self):
        self.config = SimpleNamespace(
            checkpoint=SimpleNamespace(reset=SimpleNamespace(all=False, counts=False))
        )
        self.trainer = SimpleNamespace(validated=Mock())
        self.saved = []

    def save(self, update, iteration, update_best):
        self.saved.append((update, update_best))


@pytest.fixture
def stopping(mmf):
    from mmf_cmsbert.trainers.early_stopping import ResumableEarlyStopping

    def make(**kwargs):
        options = {"patience": 10, "minimize": True, **kwargs}
        return ResumableEarlyStopping(None, Checkpoint(), "toy/error", **options)

    return make


def evaluate(stopping, update, value):
    from mmf.common.meter import Meter

    meter = Meter()
    meter.meters["val/toy/error"].update(value, 3)
    meter.meters["val/total_loss"].update(1.0, 3)
    return stopping(update, update, meter)


def test_stops_when_the_best_is_further_back_than_patience(stopping):
    one = stopping()
    values = {5: 3.0, 10: 2.0, 15: 2.5, 20: 2.0, 25: 2.1}
    assert [evaluate(one, u, v) for u, v in values.items()] == [False] * 4 + [True]
    assert (one.best_monitored_update, one.best_monitored_value) == (10, 2.0)
    # also at the stop, so that a resumed run ends immediately
    assert one.checkpoint.saved == [(5, True), (10, True), (15, False), (20, False), (25, False)]


def test_goes_on_where_early_stopping_is_off(stopping):
    one = stopping(should_stop=False)
    assert [evaluate(one, u, 1.0) for u in (5, 20, 40)] == [False] * 3
    assert one.is_activated()


def test_tells_the_trainer_the_value_and_the_best(stopping):
    one = stopping()
    for update, value in ((5, 3.0), (10, 4.0)):
        evaluate(one, update, value)
    found = [call.args for call in one.checkpoint.trainer.validated.call_args_list]
    assert found == [("val/toy/error", 3.0, 3.0, 5), ("val/toy/error", 4.0, 3.0, 5)]


def test_nan_never_is_the_best(stopping):
    one = stopping()
    evaluate(one, 5, float("nan"))
    evaluate(one, 10, 3.0)
    evaluate(one, 15, float("nan"))
    assert one.best_monitored_update == 10


def test_an_unknown_criterion_is_named_with_those_there_are(toy, tmp_path):
    message = r"criteria=toy_a/accuracy: .*total_loss, toy_a/square, toy_a/toy_error"
    with pytest.raises(ConfigError, match=message):
        toy.run(tmp_path, "training.early_stop.criteria=toy_a/accuracy")


def test_the_best_of_a_checkpoint_is_taken_over_unless_reset(stopping):
    kept = {"best_iteration": 8, "best_update": 4, "best_metric_value": 0.5}
    one = stopping()
    one.init_from_checkpoint(kept)
    assert (one.best_monitored_update, one.best_monitored_iteration) == (4, 8)
    assert one.best_monitored_value == 0.5
    other = stopping()
    other.checkpoint.config.checkpoint.reset.counts = True
    other.init_from_checkpoint(kept)
    assert (other.best_monitored_update, other.best_monitored_value) == (0, float("inf"))
