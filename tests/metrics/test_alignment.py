"""Alignment of two modalities against numbers worked by hand and plain loops."""

import math

import numpy as np
import pytest
import torch

from mmf_cmsbert.metrics.alignment import (
    PAIR_METRICS,
    calibration_error,
    distance,
    gap,
    median_rank,
    preference,
    ranks,
    recall_at,
    uniformity,
)

ROOT = math.sqrt(0.5)
# on the circle at 0, 90 and 180 degrees, and at 0, 45 and 270 degrees; of different lengths
A = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, 0.0]])
B = torch.tensor([[3.0, 0.0], [1.0, 1.0], [0.0, -1.0]])


def random_pair(count=30, dim=4, noise=0.7, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(count, dim))
    return torch.tensor(a), torch.tensor(a + noise * rng.normal(size=a.shape))


def test_ranks_by_hand():
    # similarities: [1, r, 0], [0, r, -1], [-1, -r, 0], r the root of a half; two columns tie
    assert ranks(A, B).tolist() == [1, 1, 1, 1, 1.5, 1.5]


def test_recall_and_median_rank_by_hand():
    assert recall_at(A, B, 1) == pytest.approx(4 / 6)
    assert recall_at(A, B, 2) == 1
    assert median_rank(A, B) == pytest.approx((1 + 1.5) / 2)


def test_ranks_are_those_of_sorting():
    a, b = random_pair()
    unit = [x / x.norm(dim=1, keepdim=True) for x in (a, b)]
    for rows, keys, found in ((*unit, ranks(a, b)[:30]), (*unit[::-1], ranks(a, b)[30:])):
        for i, row in enumerate(rows):
            order = sorted(range(30), key=lambda j: -float(row @ keys[j]))  # noqa: B023
            assert found[i] == order.index(i) + 1


def test_preference_by_hand():
    # of rows [1, r, 0], [0, r, -1], [-1, -r, 0] and of columns: wins, and two ties
    assert preference(A, B) == pytest.approx((2 + 2 + 2 + 2 + 1.5 + 1.5) / 12)
    first_two = torch.tensor([[1, 1, 0], [1, 1, 0], [0, 0, 1]]).bool()
    assert preference(A, B, first_two) == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert math.isnan(preference(A, B, torch.eye(3).bool()))


def test_preference_of_random_embeddings_is_at_chance_and_of_own_ones_is_not():
    rng = np.random.default_rng(0)
    a, b = (torch.tensor(rng.normal(size=(200, 16))) for _ in range(2))
    assert preference(a, b) == pytest.approx(0.5, abs=0.02)
    assert preference(a, a + 0.01 * b) == 1


def test_a_trait_that_candidates_share_does_not_help():
    rng = np.random.default_rng(0)
    trait = torch.arange(60) % 3
    shared = 5 * torch.eye(3, dtype=torch.float64)[trait]
    a, b = (shared + torch.tensor(rng.normal(size=(60, 3))) for _ in range(2))
    assert preference(a, b) > 0.75
    assert preference(a, b, trait[:, None] == trait) == pytest.approx(0.5, abs=0.06)


def test_embeddings_that_are_not_finite_are_no_perfect_match():
    broken = torch.full((5, 3), math.nan)
    for metric in PAIR_METRICS.values():
        assert math.isnan(metric(broken, broken))


def test_embeddings_that_are_all_equal_are_at_chance_and_not_perfect():
    same = torch.ones(11, 3)
    assert recall_at(same, same, 1) == recall_at(same, same, 5) == 0
    assert median_rank(same, same) == 6
    assert uniformity(same, same) == pytest.approx(0) and gap(same, same) == pytest.approx(0)


def test_distance_and_gap_by_hand():
    # squared distances 2 - 2 cos: of 0, 45 and 90 degrees
    assert distance(A, B) == pytest.approx((0 + 2 - 2 * ROOT + 2) / 3)
    # means (0, 1/3) and ((1 + r) / 3, (r - 1) / 3)
    assert gap(A, B) == pytest.approx(math.hypot((1 + ROOT) / 3, (ROOT - 2) / 3))


def test_uniformity_by_hand():
    # squared distances 2, 4, 2 of A; 2 - 2r, 2, 2 + 2r of B
    first = math.log((2 * math.exp(-4) + math.exp(-8)) / 3)
    second = math.log(sum(math.exp(-2 * d) for d in (2 - 2 * ROOT, 2, 2 + 2 * ROOT)) / 3)
    assert uniformity(A, B) == pytest.approx((first + second) / 2)


def test_scale_does_not_matter_and_modalities_are_interchangeable():
    a, b = random_pair()
    for name, metric in PAIR_METRICS.items():
        assert metric(a, b) == pytest.approx(metric(3 * b, 0.1 * a)), name


def test_calibration_by_hand():
    # two segments at a right angle: the probability of the right one is 1 / (1 + exp(-1 / t))
    a = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    sure = 1 / (1 + math.exp(-2))
    assert calibration_error(a, a, 0.5) == pytest.approx(1 - sure)
    # swapped: as sure, and always wrong
    assert calibration_error(a, a.flip(0), 0.5) == pytest.approx(sure)


def test_calibration_is_that_of_a_plain_loop():
    a, b = random_pair(count=40)
    unit = [x / x.norm(dim=1, keepdim=True) for x in (a, b)]
    bins = [[] for _ in range(15)]
    for start in range(0, 40, 8):
        for one, other in (unit, unit[::-1]):
            part = one[start : start + 8] @ other[start : start + 8].T / 0.2
            for i, row in enumerate(part.softmax(1).tolist()):
                best = max(range(8), key=row.__getitem__)
                bins[min(14, math.ceil(row[best] * 15) - 1)].append((row[best], best == i))
    expected = sum(
        abs(sum(right for _, right in each) - sum(sure for sure, _ in each)) for each in bins
    )
    found = calibration_error(a, b, 0.2, candidates=8)
    assert found == pytest.approx(expected / 80)
    assert calibration_error(a[:39], b[:39], 0.2, 8) == pytest.approx(
        calibration_error(a[:32], b[:32], 0.2, 8)
    )


def test_true_probabilities_are_calibrated_and_sharpened_ones_are_not():
    """Matches drawn by the softmax itself."""
    rng = np.random.default_rng(0)
    groups, size = 400, 4
    keys = rng.normal(size=(groups, size, 6))
    keys /= np.linalg.norm(keys, axis=-1, keepdims=True)
    queries = np.empty_like(keys)
    for g in range(groups):  # reject until each query picks its own key by the model's probability
        for i in range(size):
            while True:
                q = rng.normal(size=6)
                q /= np.linalg.norm(q)
                shares = np.exp(keys[g] @ q / 0.3)
                if rng.choice(size, p=shares / shares.sum()) == i:
                    queries[g, i] = q
                    break
    a, b = (torch.tensor(x.reshape(-1, 6)) for x in (queries, keys))
    errors = [calibration_error(a, b, t, candidates=size) for t in (0.3, 0.05)]
    assert errors[0] < 0.1 < errors[1]


def test_one_segment_has_nothing_to_align():
    assert all(math.isnan(metric(A[:1], B[:1])) for metric in PAIR_METRICS.values())
    assert math.isnan(calibration_error(A[:1], B[:1], 0.1))
    assert math.isnan(calibration_error(A, B, 0.1, candidates=4))
