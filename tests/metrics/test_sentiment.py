"""The eight scores against hand-worked numbers and a reference written with plain loops."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy import stats

from mmf_cmsbert.metrics import METRICS
from mmf_cmsbert.metrics.sentiment import mse, response

#                           in order: right, right, wrong side, at 0, at 0, rounds half to even
LABELS = torch.tensor([[-3.0], [1.6], [1.0], [0.0], [0.0], [2.5]])
PREDICTIONS = torch.tensor([[-3.6], [2.0], [-0.5], [0.5], [-0.2], [1.5]])


def score(name, predictions=PREDICTIONS, labels=LABELS):
    return METRICS[f"sentiment_{name}"](predictions, labels)


def test_mae_is_unclipped_and_over_all_segments():
    # |errors|: 0.6, 0.4, 1.5, 0.5, 0.2, 1.0 = 4.2 over 6 segments.
    assert score("mae") == pytest.approx(4.2 / 6)


def test_corr_is_pearson_s():
    # Means: labels 2.1 / 6 = 0.35, predictions -0.3 / 6 = -0.05.
    # label deviations   -3.35, 1.25, 0.65, -0.35, -0.35, 2.15, their squares sum to 18.075
    # prediction's       -3.55, 2.05, -0.45, 0.55, -0.15, 1.55, their squares sum to 19.735
    # products 11.8925 + 2.5625 - 0.2925 - 0.1925 + 0.0525 + 3.3325 = 17.355
    assert score("corr") == pytest.approx(17.355 / math.sqrt(18.075 * 19.735), abs=1e-6)


def test_acc7_clips_and_rounds_half_to_even():
    # predicted -3 (clipped), 2, -0 (from -0.5), 0 (from 0.5), -0, 2 (from 1.5)
    # labelled  -3,           2,  1,             0,            0,  2 (from 2.5): 5 of 6 equal
    assert score("acc7") == pytest.approx(5 / 6)


def test_acc5_clips_at_two():
    # 2.6 and 1.9 are 3 and 2 among seven classes, both 2 among five.
    predictions, labels = torch.tensor([2.6, -0.4]), torch.tensor([1.9, 0.4])
    assert score("acc7", predictions, labels) == 0.5
    assert score("acc5", predictions, labels) == 1.0


@pytest.mark.parametrize("name", ["acc5", "acc7"])
@pytest.mark.parametrize(
    ("half", "even"), [(0.5, 0.0), (1.5, 2.0), (2.5, 2.0), (-0.5, 0.0), (-1.5, -2.0), (-2.5, -2.0)]
)
def test_halves_round_to_even(name, half, even):
    assert score(name, torch.tensor([half]), torch.tensor([even])) == 1.0


def test_acc2_has0_counts_zero_as_non_negative():
    # non-negative? predicted no, yes, no, yes, no, yes; labelled no, yes, yes, yes, yes, yes
    assert score("acc2") == pytest.approx(4 / 6)


def test_acc2_nonzero_leaves_out_segments_labelled_zero():
    # without segments 4 and 5: predicted no, yes, no, yes; labelled no, yes, yes, yes
    assert score("acc2_nonzero") == pytest.approx(3 / 4)


def test_f1_has0_is_weighted_by_support():
    # negative: 1 true positive, 2 false, 0 missed: 2/(2+2+0) = 1/2, support 1
    # non-negative: 3 true positives, 0 false, 2 missed: 6/(6+0+2) = 3/4, support 5
    assert score("f1") == pytest.approx((1 * 1 / 2 + 5 * 3 / 4) / 6)


def test_f1_nonzero_is_weighted_by_support():
    # negative: 1 true positive, 1 false, 0 missed: 2/3, support 1
    # positive: 2 true positives, 0 false, 1 missed: 4/5, support 3
    assert score("f1_nonzero") == pytest.approx((1 * 2 / 3 + 3 * 4 / 5) / 4)


def test_a_prediction_of_exactly_zero_is_non_negative_but_not_positive():
    predictions = torch.tensor([0.0, 0.0])
    labels = torch.tensor([1.0, -1.0])
    assert score("acc2", predictions, labels) == 0.5  # right about the 1
    assert score("acc2_nonzero", predictions, labels) == 0.5  # right about the -1
    # The first is correct for the 1 only, the second for the -1 only.
    assert score("acc2", predictions[:1], labels[:1]) == 1.0
    assert score("acc2_nonzero", predictions[:1], labels[:1]) == 0.0
    assert score("acc2_nonzero", predictions[1:], labels[1:]) == 1.0


def looped(name, predictions, labels):
    """The definitions of the metrics, computed segment by segment."""
    pairs = list(zip(predictions, labels, strict=True))

    def clipped(value, limit):
        return round(max(-limit, min(limit, value)))  # Python's round is half to even

    if name == "mae":
        return sum(abs(p - y) for p, y in pairs) / len(pairs)
    if name in ("acc7", "acc5"):
        limit = 3 if name == "acc7" else 2
        return sum(clipped(p, limit) == clipped(y, limit) for p, y in pairs) / len(pairs)
    if name.endswith("_nonzero"):
        sides = [(p > 0, y > 0) for p, y in pairs if y != 0]
    else:
        sides = [(p >= 0, y >= 0) for p, y in pairs]
    if name.startswith("acc2"):
        return sum(p == y for p, y in sides) / len(sides)
    f1 = 0.0
    for side in (False, True):
        hit = sum(p == y == side for p, y in sides)
        predicted, true = sum(p == side for p, _ in sides), sum(y == side for _, y in sides)
        f1 += true / len(sides) * (2 * hit / (predicted + true) if predicted + true else 0.0)
    return f1


@pytest.mark.parametrize(
    "name", ["mae", "acc7", "acc5", "acc2", "f1", "acc2_nonzero", "f1_nonzero"]
)
@pytest.mark.parametrize("seed", range(3))
def test_scores_equal_the_looped_reference(name, seed):
    generator = torch.Generator().manual_seed(seed)
    # With multiples of a quarter many values are exactly 0 or halves.
    labels = torch.randint(-12, 13, (80,), generator=generator) / 4
    predictions = labels + torch.randint(-8, 9, (80,), generator=generator) / 4
    expected = looped(name, predictions.tolist(), labels.tolist())
    assert score(name, predictions, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, -1.3])
def test_corr_of_a_constant_is_zero(constant):
    # 0.1 seven times has a mean that is not exactly 0.1, so its variance is not exactly 0.
    varying = torch.linspace(-3, 3, 7)
    same = torch.full((7,), constant)
    assert score("corr", same, varying) == 0.0
    assert score("corr", varying, same) == 0.0
    assert score("corr", varying[:1], varying[:1]) == 0.0


def test_a_perfect_prediction_scores_best_and_its_opposite_anticorrelates():
    scores = {name: metric(LABELS, LABELS) for name, metric in METRICS.items()}
    assert scores.pop("sentiment_mae") == 0.0
    assert all(value == pytest.approx(1.0) for value in scores.values())
    assert score("corr", -LABELS) == pytest.approx(-1.0)


@pytest.mark.parametrize("name", ["f1", "f1_nonzero"])
def test_f1_of_a_side_that_is_never_predicted_is_zero_without_a_warning(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # negative: never predicted, 0, support 1; positive: 2*1/(2*1+1+0) = 2/3, support 1
        value = score(name, torch.tensor([1.0, 1.0]), torch.tensor([1.0, -1.0]))
    assert value == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", METRICS)
def test_unknown_labels_are_left_out(name):
    predictions = torch.cat([PREDICTIONS, torch.tensor([[3.0]])])
    labels = torch.cat([LABELS, torch.tensor([[math.nan]])])
    assert METRICS[name](predictions, labels) == METRICS[name](PREDICTIONS, LABELS)


def test_a_nan_prediction_shows_in_mae_and_corr_and_is_never_correct():
    labels = torch.tensor([1.0, -1.0, 2.0, -2.0])
    predictions = torch.tensor([1.0, math.nan, 2.0, math.nan])
    assert math.isnan(score("mae", predictions, labels))
    assert math.isnan(score("corr", predictions, labels))
    assert math.isnan(score("corr", predictions, torch.ones(4)))
    for name in ("acc7", "acc5", "acc2", "acc2_nonzero", "f1", "f1_nonzero"):
        # Half are correct; F1: positive 1, negative 0, with equal support.
        assert score(name, predictions, labels) == 0.5, name


@pytest.mark.parametrize("name", METRICS)
def test_a_score_without_a_known_segment_is_nan(name):
    assert math.isnan(METRICS[name](torch.zeros(2), torch.full((2,), math.nan)))


@pytest.mark.parametrize("name", ["acc2_nonzero", "f1_nonzero"])
def test_nonzero_scores_of_neutral_segments_alone_are_nan(name):
    assert math.isnan(score(name, torch.zeros(2), torch.zeros(2)))


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("predictions", "labels"),
    [
        (torch.zeros(0), torch.zeros(0)),
        (torch.zeros(3), torch.zeros(2)),
        (torch.zeros(3, 2), torch.zeros(3)),
    ],
)
def test_wrong_shapes_are_errors(name, predictions, labels):
    with pytest.raises(ValueError):
        METRICS[name](predictions, labels)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_scores_are_computed_in_double(dtype):
    # 1/3 of 0.5: float32 would be off by 1e-8, bfloat16 by 1e-3.
    predictions = torch.tensor([0.5, 0.0, 0.0], dtype=dtype)
    assert score("mae", predictions, torch.zeros(3)) == pytest.approx(0.5 / 3, abs=1e-14)


@pytest.mark.parametrize("name", METRICS)
def test_every_score_has_a_definition(name):
    assert METRICS[name].__doc__.strip().endswith(".")


def test_the_response_is_the_slope_of_scipys_regression():
    rng = np.random.default_rng(0)
    labels, noise = rng.normal(size=(2, 50))
    predictions = 0.4 * labels + noise
    expected = stats.linregress(labels, predictions).slope
    assert response(torch.tensor(predictions), torch.tensor(labels)) == pytest.approx(expected)
    assert response(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 3.0])) == 0
    assert math.isnan(response(torch.tensor([math.nan, 2.0]), torch.tensor([1.0, 3.0])))


def test_the_squared_error_is_unclipped_and_leaves_unknown_labels_out():
    assert mse(torch.tensor([5.0, 1.0, 9.0]), torch.tensor([2.0, 0.0, math.nan])) == 5
