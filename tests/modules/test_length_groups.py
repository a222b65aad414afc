"""Groups of similar length, compared with all possible splits."""

import itertools
import random

import pytest

from mmf_cmsbert.modules.length_groups import group_by_length


def cost(groups, lengths, overhead):
    return sum(len(rows) * max(lengths[row] for row in rows) + overhead for rows in groups)


def least_cost(lengths, most, overhead):
    """Return the cost of the best split of the sorted lengths, by exhaustive search."""
    ordered, size = sorted(lengths), len(lengths)
    costs = []
    for groups in range(1, min(most or size, size) + 1):
        for inner in itertools.combinations(range(1, size), groups - 1):
            ends = [0, *inner, size]
            parts = [ordered[a:b] for a, b in itertools.pairwise(ends)]
            costs.append(sum(len(part) * part[-1] + overhead for part in parts))
    return min(costs)


@pytest.mark.parametrize("most", [None, 1, 2, 3, 20])
@pytest.mark.parametrize("overhead", [0, 1, 3, 10, 1000])
def test_no_split_costs_less(most, overhead):
    draw = random.Random(0)
    for _ in range(20):
        lengths = [draw.randint(1, 12) for _ in range(draw.randint(1, 8))]
        groups = group_by_length(lengths, most, overhead)
        assert sorted(itertools.chain(*groups)) == list(range(len(lengths)))
        assert most is None or len(groups) <= most
        assert cost(groups, lengths, overhead) == least_cost(lengths, most, overhead)


def test_groups_come_in_ascending_order_of_length():
    # 2 * 3 + 2 * 20 = 46 positions, where one group would need 4 * 20 = 80
    assert group_by_length([20, 3, 19, 2], most=2) == [[3, 1], [2, 0]]


@pytest.mark.parametrize("lengths", [[5, 5, 5], [7]])
def test_equal_lengths_are_one_group(lengths):
    assert group_by_length(lengths) == [list(range(len(lengths)))]


def test_a_group_that_does_not_pay_for_itself_is_not_made():
    assert len(group_by_length([3, 10], overhead=6)) == 2  # saves 7
    assert len(group_by_length([3, 10], overhead=8)) == 1
