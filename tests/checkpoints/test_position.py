"""The position of a run is saved in a checkpoint and restored."""

from collections import defaultdict, deque
from types import SimpleNamespace

import pytest
import torch

from mmf_cmsbert.checkpoints import position


class Average:
    def __init__(self):
        self.window_size, self.deque, self.total = 2, deque(maxlen=2), 0.0


class Loader:
    epoch = None

    def resume_epoch(self, position):
        return True


def trainer():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    return SimpleNamespace(
        num_updates=0,
        current_iteration=0,
        train_loader=Loader(),
        optimizer=optimizer,
        lr_scheduler=torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5),
        schedule_lag=0,
        early_stopping=SimpleNamespace(last_evaluated_update=0, activated=False),
        meter=SimpleNamespace(meters=defaultdict(Average)),
    )


def trained():
    made = trainer()
    made.num_updates, made.current_iteration = 3, 4
    made.early_stopping.last_evaluated_update, made.early_stopping.activated = 2, True
    made.meter.meters["loss"].deque.extend([1.0, 2.0, 3.0])
    made.meter.meters["loss"].total = 6.0
    for _ in range(3):
        made.optimizer.step()
        made.lr_scheduler.step()
    return made


def test_counts_averages_and_learning_rates_return(tmp_path):
    torch.save(position.capture(trained()), tmp_path / "position")
    kept = torch.load(tmp_path / "position", weights_only=True)
    new = trainer()
    position.restore_counts(new, kept)
    position.check(new, kept)
    position.restore_schedule(new, kept)
    assert (new.num_updates, new.current_iteration) == (3, 4)
    assert (new.early_stopping.last_evaluated_update, new.early_stopping.activated) == (2, True)
    average = new.meter.meters["loss"]
    assert (list(average.deque), average.deque.maxlen, average.total) == ([2.0, 3.0], 2, 6.0)
    assert new.optimizer.param_groups[0]["lr"] == 0.1 * 0.5**3
    assert new.lr_scheduler.last_epoch == 3


def test_a_schedule_that_a_checkpoint_lacks_is_put_where_it_is_after_the_updates():
    new = trainer()
    new.num_updates = 2
    position.step_schedule(new)
    assert new.optimizer.param_groups[0]["lr"] == pytest.approx(0.1 * 0.5**2)


@pytest.mark.parametrize("change", [{"num_updates": "three"}, {"meter": 3}])
def test_counts_of_another_form_are_refused(change):
    with pytest.raises(ValueError, match=next(iter(change))):
        position.restore_counts(trainer(), {**position.capture(trained()), **change})


def test_training_data_that_does_not_resume_has_no_position():
    other = trained()
    other.train_loader = [1, 2]
    assert position.capture(other) is None


def test_the_batches_of_all_datasets_are_counted():
    streams = [{"drawn": 2, "start": None}, {"drawn": 3, "start": None}]
    assert position.batches_done({"epoch": {"streams": streams}}) == 5
    assert position.batches_done({"epoch": None}) is None
