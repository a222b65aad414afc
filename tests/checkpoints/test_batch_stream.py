"""A pass over a DataLoader can be interrupted and resumed, or restarts at its end."""

import pytest
import torch
from torch.utils.data import DataLoader

from mmf_cmsbert.checkpoints.batch_stream import BatchStream


@pytest.fixture
def loader():
    return DataLoader(list(range(10)), batch_size=2, shuffle=True)


def test_it_is_one_pass(loader):
    stream = BatchStream(loader)
    assert sorted(torch.cat(list(stream)).tolist()) == list(range(10))
    assert next(stream, None) is None


def test_it_goes_on_from_its_position_and_leaves_the_generator_alone(loader):
    stream = BatchStream(loader)
    next(stream), next(stream)
    position, rest = stream.position(), [batch.tolist() for batch in stream]
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert [batch.tolist() for batch in BatchStream(loader, **position)] == rest
    assert torch.equal(torch.get_rng_state(), before)


def test_an_endless_one_begins_again_in_another_order(loader):
    torch.manual_seed(1)
    stream = BatchStream(loader, endless=True)
    passes = [[next(stream).tolist() for _ in range(5)] for _ in range(2)]
    assert sorted(sum(passes[0], [])) == sorted(sum(passes[1], [])) == list(range(10))
    assert passes[0] != passes[1]
    assert stream.position()["drawn"] == 5


def test_an_endless_one_over_nothing_ends():
    assert next(BatchStream(DataLoader([]), endless=True), None) is None
