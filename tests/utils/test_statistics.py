import itertools
import math

import numpy as np
import pytest
from scipy import stats

from mmf_cmsbert.utils.statistics import compare, interval, summarise


def test_mean_and_sample_deviation_by_hand():
    found = summarise([1.0, 2.0, 6.0])
    # squares of -2, -1, 3 sum to 14; divided by n - 1
    assert (found.mean, found.count) == (3.0, 3)
    assert found.deviation == pytest.approx(math.sqrt(7))


def test_a_single_run_has_no_deviation_and_a_single_pair_no_interval():
    assert summarise([0.5]).deviation is None
    found = compare([0.5], [0.25])
    assert (found.mean, found.low, found.high, found.p, found.count) == (0.25, None, None, None, 1)


def test_the_interval_is_students_by_hand():
    # differences 1, 2, 3: mean 2, deviation 1; t of 2 degrees of freedom at 97.5% is 4.302653
    found = compare([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    margin = 4.302653 / math.sqrt(3)
    assert (found.low, found.high) == pytest.approx((2 - margin, 2 + margin), abs=1e-6)


@pytest.mark.parametrize("differences", [[1.0, 2, 3, 4, 5], [1.0, -2, 3, 0.5, 7], [0.1, -0.1]])
def test_p_counts_the_signs_that_are_as_extreme(differences):
    ways = list(itertools.product((-1, 1), repeat=len(differences)))
    sums = [abs(sum(s * d for s, d in zip(way, differences, strict=True))) for way in ways]
    expected = sum(s >= abs(sum(differences)) - 1e-12 for s in sums) / len(ways)
    found = compare(differences, [0.0] * len(differences))
    assert found.p == pytest.approx(expected)


def test_five_pairs_that_all_agree_give_the_least_p_there_is():
    assert compare([1, 2, 3, 4, 5], [0, 0, 0, 0, 0]).p == pytest.approx(2 / 32)


def test_equal_runs_do_not_differ():
    found = compare([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_an_interval_is_that_of_scipy():
    values = [0.1, 0.4, 0.2, 0.7]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert interval(values) == pytest.approx((low, high))
