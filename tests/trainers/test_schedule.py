"""The warm-up of the schedule is a fraction of the number of updates."""

import pytest
import torch

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.trainers import schedule


def rates(updates, proportion):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = schedule.linear_with_warmup(optimizer, updates, proportion)
    seen = []
    for _ in range(updates + 1):
        seen.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return seen


def test_rises_over_its_share_of_the_updates_and_falls_to_zero():
    assert rates(10, 0.2) == pytest.approx(
        [0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]
    )


def test_without_warm_up_it_starts_at_the_full_rate():
    assert rates(4, 0.0) == pytest.approx([1, 0.75, 0.5, 0.25, 0])


@pytest.mark.parametrize(("updates", "proportion"), [(None, 0.1), (0, 0.1), (10, 1.5), (10, "a")])
def test_values_without_a_meaning_are_refused(updates, proportion):
    with pytest.raises(ConfigError, match=r"scheduler\.params\."):
        rates_of = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        schedule.linear_with_warmup(rates_of, updates, proportion)
