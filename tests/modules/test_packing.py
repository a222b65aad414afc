"""Layouts of positions in a row."""

import pytest
import torch

from mmf_cmsbert.modules.packing import Packing, Padding

# A segment with padding, one with a hole, one without positions.
MASK = torch.tensor([[1, 1, 0, 0], [1, 0, 1, 1], [0, 0, 0, 0]])


def test_a_packed_row_holds_the_positions_of_all_segments_and_nothing_else():
    packing = Packing(MASK)
    padded = torch.tensor([[1, 2, 0, 0], [3, 0, 4, 5], [0, 0, 0, 0]])
    assert packing.pack(padded).tolist() == [1, 2, 3, 4, 5]
    assert packing.positions.tolist() == [0, 1, 0, 2, 3]
    assert packing.segments.tolist() == [0, 0, 1, 1, 1]
    assert packing.lengths == [2, 3, 0]


@pytest.mark.parametrize("kind", [Packing, Padding])
def test_padded_again_every_position_is_where_it_was(kind):
    layout, padded = kind(MASK), torch.randn(3, 4, 2)
    again = layout.pad(layout.pack(padded))
    assert again.shape == padded.shape
    assert torch.equal(again[MASK.bool()], padded[MASK.bool()])


@pytest.mark.parametrize("kind", [Packing, Padding])
def test_first_positions_and_weighted_sums_of_segments(kind):
    layout, padded = kind(MASK[:2]), torch.randn(2, 4, 3)
    assert torch.equal(layout.firsts(layout.pack(padded)), padded[:, 0])
    weights = torch.rand(2, 4) * MASK[:2]
    expected = (padded * weights.unsqueeze(-1)).sum(1)
    torch.testing.assert_close(layout.sum(layout.pack(padded), weights), expected)


def test_indices_of_segments_in_a_row():
    packing = Packing(MASK)
    index, valid = packing.index([1, 0])
    assert index.tolist() == [[2, 3, 4], [0, 1, 0]]
    assert valid.tolist() == [[True, True, True], [True, True, False]]
    index, valid = packing.index([1])
    assert index.tolist() == [[2, 3, 4]] and valid is None


def test_a_batch_without_any_position_is_an_empty_row():
    packing = Packing(torch.zeros(2, 3))
    row = packing.pack(torch.randn(2, 3, 4))
    assert row.shape == (0, 4)
    assert torch.equal(packing.pad(row), torch.zeros(2, 3, 4))
    assert torch.equal(packing.sum(row, torch.zeros(2, 3)), torch.zeros(2, 4))
