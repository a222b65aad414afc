"""Attention within segments, against torch's attention over padded ones."""

import pytest
import torch
import torch.nn.functional as F

from mmf_cmsbert.modules import attention
from mmf_cmsbert.modules.attention import SegmentAttention
from mmf_cmsbert.modules.packing import Packing, Padding

HEADS, DIM = 2, 3
# Padding, a hole, a single query; no keys for the third segment.
QUERIES = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 0, 1, 1], [1, 0, 0, 0, 0], [1, 1, 0, 0, 0]])
KEYS = torch.tensor([[1] * 7, [1, 0, 0, 1, 1, 0, 0], [0] * 7, [1, 1, 1, 0, 0, 0, 0]])


@pytest.fixture(params=[(2**18, 30_000.0), (2**18, 0.0), (40, 30_000.0), (7, 0.0)])
def cut(request, monkeypatch):
    """Compute in few or many groups, at once or in blocks of a few weights."""
    block, overhead = request.param
    monkeypatch.setattr(attention, "_BLOCK", block)
    monkeypatch.setattr(attention, "_GROUP_OVERHEAD", overhead)


def padded(mask, seed):
    torch.manual_seed(seed)
    shape = (*mask.shape, HEADS, DIM)
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def expected(query, key, value, mask):
    """Attend with torch; a segment without keys attends to all."""
    mask = mask.bool() | ~mask.any(1, keepdim=True)
    by_head = (each.transpose(1, 2) for each in (query, key, value))
    return F.scaled_dot_product_attention(*by_head, attn_mask=mask[:, None, None]).transpose(1, 2)


@pytest.mark.parametrize("kind", [Packing, Padding])
def test_outputs_and_gradients_are_those_of_padded_segments(kind, cut):
    inputs = padded(QUERIES, 1), padded(KEYS, 2), padded(KEYS, 3)
    words, frames = kind(QUERIES), kind(KEYS)
    found = SegmentAttention(words, frames, HEADS)(
        words.pack(inputs[0]), frames.pack(inputs[1]), frames.pack(inputs[2])
    )
    reference = expected(*inputs, KEYS)
    given = QUERIES.bool() & KEYS.any(1, keepdim=True)
    torch.testing.assert_close(words.pad(found)[given], reference[given])
    weights = torch.randn_like(reference) * given[..., None, None]
    torch.testing.assert_close(
        torch.autograd.grad(found, inputs, words.pack(weights)),
        torch.autograd.grad(reference, inputs, weights),
    )


def test_packed_a_segment_without_keys_gets_zeros():
    words, frames = Packing(QUERIES), Packing(KEYS)
    attend = SegmentAttention(words, frames, HEADS)
    key = frames.pack(padded(KEYS, 2))
    found = words.pad(attend(words.pack(padded(QUERIES, 1)), key, key))
    assert (found[2, 0] == 0).all() and (found[0, 0] != 0).all()


def test_without_any_key_the_output_is_zeros_and_the_gradients_are_too():
    words, frames = Packing(QUERIES), Packing(torch.zeros_like(KEYS))
    query, key = padded(QUERIES, 1), padded(KEYS, 2)
    rows = frames.pack(key)
    found = SegmentAttention(words, frames, HEADS)(words.pack(query), rows, rows)
    assert (found == 0).all()
    found.sum().backward()
    assert (query.grad == 0).all() and (key.grad == 0).all()


def test_with_dropout_the_gradients_are_those_of_what_was_computed(cut):
    words, frames = Packing(QUERIES), Packing(KEYS)
    attend = SegmentAttention(words, frames, HEADS)

    def compute(query, key, value):
        torch.manual_seed(4)
        return attend(words.pack(query), frames.pack(key), frames.pack(value), 0.3)

    inputs = padded(QUERIES, 1), padded(KEYS, 2), padded(KEYS, 3)
    plain = attend(*map(Packing.pack, (words, frames, frames), inputs))
    assert not torch.equal(compute(*inputs), plain)
    torch.autograd.gradcheck(compute, inputs, fast_mode=True)  # all of the matrix takes 10 s


def test_dropout_keeps_the_stated_share_of_weights_and_their_mean(cut):
    layout = Packing(torch.ones(1, 200))
    attend = SegmentAttention(layout, layout, 1)
    query = torch.zeros(200, 1, 200)  # equal weights
    torch.manual_seed(5)
    found = attend(query, query, torch.eye(200).unsqueeze(1), dropout=0.25)
    assert abs((found == 0).float().mean() - 0.25) < 0.01
    torch.testing.assert_close(found.max(), torch.tensor(1 / 200 / 0.75))
    # Each weight is dropped independently of its neighbours.
    dropped = (found[:, 0] == 0).float()
    assert abs((dropped[1:] * dropped[:-1]).mean() - 0.0625) < 0.01
    assert abs((dropped[:, 1:] * dropped[:, :-1]).mean() - 0.0625) < 0.01


def test_a_seed_repeats_the_dropout_and_another_call_differs():
    layout = Packing(torch.ones(1, 50))
    attend, states = SegmentAttention(layout, layout, 1), torch.randn(50, 1, 4)
    found = []
    for seed in (1, 1, None):
        if seed is not None:
            torch.manual_seed(seed)
        found.append(attend(states, states, states, dropout=0.5))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[1], found[2])


def test_everything_is_dropped_with_a_probability_of_one():
    layout = Packing(torch.ones(1, 5))
    states = torch.randn(5, 1, 4, requires_grad=True)
    found = SegmentAttention(layout, layout, 1)(states, states, states, dropout=1.0)
    found.sum().backward()
    assert (found == 0).all() and (states.grad == 0).all()


def test_half_precision_stays_half_precision_forward_and_backward():
    layout = Packing(torch.ones(2, 6))
    states = torch.randn(12, 2, 4).bfloat16().requires_grad_()
    attend = SegmentAttention(layout, layout, 2)
    with torch.autocast("cpu", torch.bfloat16):
        found = attend(states, states, states, dropout=0.1)
    found.sum().backward()
    assert found.dtype == states.grad.dtype == torch.bfloat16
