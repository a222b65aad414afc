import numpy as np
import pytest
from scipy import stats

from mmf_cmsbert.records.convergence import convergence


def test_best_last_and_regret_by_hand():
    found = convergence([10, 20, 30, 40], [1.0, 0.5, 0.75, 0.6], lower_is_better=True)
    assert (found.best, found.best_update, found.last) == (0.5, 20, 0.6)
    assert found.regret == pytest.approx(0.1)
    # the second half: 0.75, 0.6
    assert found.jump == pytest.approx(0.15) and found.spread is None
    # within a tenth of 1.0 - 0.5 of the best
    assert found.near == 20


def test_a_score_that_rises_is_the_mirror_of_one_that_falls():
    updates, scores = range(1, 9), [0.1, 0.4, 0.3, 0.7, 0.6, 0.65, 0.9, 0.8]
    up = convergence(updates, scores, lower_is_better=False)
    down = convergence(updates, [-s for s in scores], lower_is_better=True)
    assert (up.regret, up.spread, up.jump, up.near) == (
        pytest.approx(down.regret), pytest.approx(down.spread), pytest.approx(down.jump), down.near
    )  # fmt: skip
    assert up.best == 0.9 and up.regret == pytest.approx(0.1)


def test_steady_progress_is_no_spread_and_the_spread_is_that_of_the_residuals():
    line = convergence(range(10), np.linspace(1, 0, 10).tolist(), True)
    assert line.spread == pytest.approx(0, abs=1e-12) and line.jump == pytest.approx(1 / 9)
    rng = np.random.default_rng(0)
    x, y = np.arange(400), rng.normal(0, 0.2, 400) - np.arange(400) / 100
    found = convergence(x.tolist(), y.tolist(), True)
    fit = stats.linregress(x[200:], y[200:])
    residuals = y[200:] - fit.intercept - fit.slope * x[200:]
    assert found.spread == pytest.approx(residuals.std(ddof=2)) == pytest.approx(0.2, rel=0.1)


def test_a_single_validation_has_no_spread():
    found = convergence([5], [1.0], True)
    assert (found.regret, found.spread, found.jump, found.near) == (0, None, None, 5)
