"""Dropout with masks that cost little on a CPU."""

import pytest
import torch
from torch import nn

from mmf_cmsbert.modules.dropout import Dropout, dropout, use_fast_dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_elements_are_dropped_independently_with_probability_p(p):
    torch.manual_seed(1)
    count = 400_000
    zero = dropout(torch.ones(count), p) == 0
    deviation = (p * (1 - p) / count) ** 0.5
    assert abs(zero.double().mean() - p) < 5 * deviation
    both = (zero[1:] & zero[:-1]).double().mean()
    assert abs(both - p * p) < 5 * (p * p * (1 - p * p) / count) ** 0.5


def test_kept_elements_are_scaled_so_that_the_mean_stays():
    torch.manual_seed(1)
    result = dropout(torch.ones(1_000_000), 0.2)
    assert result.unique().tolist() == pytest.approx([0.0, 1.25], rel=1e-4)
    assert result.double().mean() == pytest.approx(1.0, abs=5 * (0.25 / 1_000_000) ** 0.5)


def test_the_gradient_is_dropped_and_scaled_like_the_value():
    values = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    result = dropout(values, 0.5)
    result.sum().backward()
    assert torch.allclose(values.grad * values.detach(), result.detach(), rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_the_type_and_shape_stay(dtype):
    result = dropout(torch.ones(2, 3, 7, dtype=dtype), 0.3)
    assert (result.dtype, result.shape) == (dtype, (2, 3, 7))


def test_values_in_any_memory_order_are_dropped():
    values = torch.arange(1.0, 13.0).view(3, 4).t()
    kept = dropout(values, 0.5)
    assert torch.equal(kept[kept != 0], 2 * values[kept != 0])


@pytest.mark.parametrize(("p", "expected"), [(0.0, 1.0), (1.0, 0.0)])
def test_nothing_or_everything_is_dropped_exactly(p, expected):
    assert torch.equal(dropout(torch.ones(50), p), torch.full((50,), expected))


def test_an_empty_tensor_and_a_scalar_are_accepted():
    assert dropout(torch.empty(0, 4), 0.5).shape == (0, 4)
    assert dropout(torch.tensor(1.0), 0.5).item() in (0.0, 2.0)


def test_a_seed_repeats_the_mask_and_a_saved_state_continues_it():
    torch.manual_seed(3)
    first = dropout(torch.ones(100), 0.5)
    state = torch.get_rng_state()
    second = dropout(torch.ones(100), 0.5)
    torch.manual_seed(3)
    assert torch.equal(dropout(torch.ones(100), 0.5), first)
    torch.set_rng_state(state)
    assert torch.equal(dropout(torch.ones(100), 0.5), second)
    assert not torch.equal(first, second)


def test_in_evaluation_nothing_is_dropped_and_no_number_drawn():
    state = torch.get_rng_state()
    values = torch.ones(10)
    assert torch.equal(Dropout(0.5).eval()(values), values)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_networks_dropouts_are_replaced_with_their_probability_and_mode():
    network = nn.Sequential(nn.Dropout(0.3), nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.1)))
    network[1].eval()
    names = list(network.state_dict())
    use_fast_dropout(network)
    inner = network[1][1]
    assert isinstance(network[0], Dropout) and isinstance(inner, Dropout)
    assert (network[0].p, network[0].training, inner.p, inner.training) == (0.3, True, 0.1, False)
    assert list(network.state_dict()) == names
