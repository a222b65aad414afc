"""Pooling of states under a mask."""

import pytest
import torch

from mmf_cmsbert.modules.packing import Packing, Padding
from mmf_cmsbert.modules.pooling import AttentionPooling, mean_pool, mean_row

STATES = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[1.0, 1.0]] * 3])
MASK = torch.tensor([[True, True, False], [False, False, False]])


@pytest.fixture(params=[Packing, Padding])
def layout(request):
    return request.param(MASK)


def test_mean_pool_averages_what_the_mask_admits_and_gives_zeros_for_nothing(layout):
    expected = torch.tensor([[2.0, 4.0], [0.0, 0.0]])
    assert torch.equal(mean_row(layout.pack(STATES), layout), expected)
    assert torch.equal(mean_pool(STATES, MASK), expected)


def test_attention_pooling_is_a_convex_combination_of_admitted_states(layout):
    torch.manual_seed(0)
    pooling = AttentionPooling(2)
    pooled = pooling.pool_row(layout.pack(STATES), layout)
    assert torch.equal(pooling(STATES, MASK), pooled)
    scores = pooling.score(STATES[0, :2]).squeeze(-1)
    weights = scores.exp() / scores.exp().sum()
    expected = weights[0] * STATES[0, 0] + weights[1] * STATES[0, 1]
    torch.testing.assert_close(pooled[0], expected)
    assert torch.equal(pooled[1], torch.zeros(2))


@pytest.mark.parametrize("mask", [MASK, torch.zeros_like(MASK)])
def test_attention_pooling_of_nothing_has_finite_gradients(mask):
    for layout in (Packing(mask), Padding(mask)):
        pooling = AttentionPooling(2)
        pooling.pool_row(layout.pack(STATES), layout).sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in pooling.parameters())
