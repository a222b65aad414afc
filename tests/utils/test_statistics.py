import itertools
import math

import numpy as np
import pytest
from scipy import stats

from mmf_cmsbert.utils.statistics import (
    compare,
    holm,
    interquartile_mean,
    interval,
    pairs_needed,
    probability_of_improvement,
    smallest_difference,
    smallest_p,
    summarise,
)


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


@pytest.mark.parametrize("pairs", [2, 5, 13, 15])
def test_the_smallest_p_is_reached_where_all_pairs_agree(pairs):
    agreeing = np.arange(1.0, pairs + 1)
    assert compare(agreeing, np.zeros(pairs)).p == pytest.approx(smallest_p(pairs))


def test_scores_that_are_not_finite_have_no_p_and_no_interval():
    found = compare([math.nan, 0.1, 0.2], [0.1, 0.2, 0.3])
    assert math.isnan(found.mean) and (found.p, found.low, found.deviation) == (None, None, None)
    assert pairs_needed(math.nan, 0.1) is None and pairs_needed(0.1, math.nan) is None
    assert interquartile_mean([[math.nan, 1.0], [2.0]]).low is None


def test_equal_runs_do_not_differ():
    found = compare([0.1, 0.2, 0.3], [0.1, 0.2, 0.3])
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_an_interval_is_that_of_scipy():
    values = [0.1, 0.4, 0.2, 0.7]
    low, high = stats.t.interval(0.95, 3, loc=np.mean(values), scale=stats.sem(values))
    assert interval(values) == pytest.approx((low, high))


def test_the_interquartile_mean_leaves_out_the_quarters_at_the_ends():
    # the middle four of eight: 3, 4, 5, 6
    found = interquartile_mean([[1, 2, 3, 4], [5, 6, 7, 900]])
    assert found.value == 4.5 and found.low < 4.5 < found.high < 900


def test_values_are_resampled_within_their_stratum():
    """Each stratum is constant, so no resample differs; mixed, the interval would be wide."""
    found = interquartile_mean([[0.0] * 4, [1.0] * 4])
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)
    mixed = interquartile_mean([[0.0] * 4 + [1.0] * 4])
    assert mixed.high - mixed.low > 0.5


def test_a_stratum_of_one_value_counts_once_in_every_resample():
    found = interquartile_mean([[0.0, 0.0, 0.0], [10.0]])
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)
    found = interquartile_mean([[0.0, 1.0, 2.0, 1.0], [10.0]])
    assert found.low <= found.value <= found.high


def test_the_interval_of_the_interquartile_mean_holds_the_true_one_as_often_as_it_says():
    rng = np.random.default_rng(0)
    draws = [interquartile_mean([rng.normal(size=15), rng.normal(size=15)]) for _ in range(60)]
    assert np.mean([each.low <= 0 <= each.high for each in draws]) >= 0.85


def test_one_value_has_no_interval():
    assert interquartile_mean([[2.0]]).low is None


def test_improvement_counts_the_pairs_that_are_better_by_hand():
    # 1 beats 2, 3 and 4; 2 ties with 2 and beats 3, 4; 3 ties with 3 and beats 4
    found = probability_of_improvement([([1, 2, 3], [2, 3, 4])], lower_is_better=True)
    assert found.value == pytest.approx((3 + 2.5 + 1.5) / 9)
    worse = probability_of_improvement([([1, 2, 3], [2, 3, 4])], lower_is_better=False)
    assert worse.value == pytest.approx(1 - found.value)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_improvement_is_the_mean_of_mann_whitney_over_strata():
    rng = np.random.default_rng(1)
    strata = [(rng.normal(size=5), rng.normal(size=6)), (rng.normal(size=4), rng.normal(size=4))]
    expected = [stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in strata]
    found = probability_of_improvement(strata, lower_is_better=False)
    assert found.value == pytest.approx(np.mean(expected))


def test_holm_is_that_of_statsmodels():
    # multipletests([.01, .04, .03, .005], method="holm") of statsmodels 0.15
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert holm({"a": 0.5, "b": 0.9}) == {"a": 1.0, "b": 1.0} and holm({}) == {}


@pytest.mark.parametrize(("size", "pairs"), [(0.2, 199), (0.5, 34), (1, 10), (2, 5)])
def test_the_number_of_pairs_is_that_of_statsmodels(size, pairs):
    # TTestPower().solve_power(effect_size=size, alpha=0.05, power=0.8), rounded up
    assert pairs_needed(size, 1) == pairs_needed(-size * 3, 3) == pairs


@pytest.mark.parametrize(("pairs", "size"), [(3, 3.264044), (5, 1.681997), (10, 0.996002)])
def test_the_smallest_difference_is_that_of_statsmodels(pairs, size):
    assert smallest_difference(pairs, 2) == pytest.approx(2 * size, abs=1e-4)


def test_the_number_of_pairs_shows_the_difference_in_four_of_five_experiments():
    rng = np.random.default_rng(0)
    differences = rng.normal(0.8, 1.0, (4000, pairs_needed(0.8, 1.0)))
    shown = stats.ttest_1samp(differences, 0, axis=1).pvalue < 0.05
    assert 0.78 < shown.mean() < 0.86


def test_no_number_of_pairs_shows_no_difference():
    assert pairs_needed(0, 1) is None and pairs_needed(0.001, 1) is None
    assert pairs_needed(0.1, 0) == 2 and smallest_difference(1, 1) is None
