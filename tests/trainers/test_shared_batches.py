"""Batches are divided so that all processes together have the batches of one."""

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, RandomSampler

from mmf_cmsbert.errors import ConfigError

pytest.importorskip("mmf")

from mmf_cmsbert.trainers.gathered_reports import interleave  # noqa: E402
from mmf_cmsbert.trainers.ranks import Ranks  # noqa: E402
from mmf_cmsbert.trainers.shared_batches import SharedBatches, StandIns, shared_loader  # noqa: E402


class OneOf(Ranks):
    """A process that has received the batches of the first one."""

    heard = None

    def broadcast(self, value):
        OneOf.heard = value if self.rank == 0 else OneOf.heard
        return OneOf.heard


def drawn(samples, count, whole):
    batches = BatchSampler(RandomSampler(range(samples)), 4, drop_last=False)
    shares = [SharedBatches(batches, OneOf(r, count, "cpu"), whole) for r in range(count)]
    result = [list(share) for share in shares]
    assert [len(share) for share in shares] == [len(share) for share in result]
    return OneOf.heard, result


def test_each_process_has_a_part_of_each_batch():
    batches, shares = drawn(11, 2, whole=False)
    assert sorted(sum(batches, [])) == list(range(11))
    for batch, *parts in zip(batches, *shares, strict=True):
        assert sorted(sum(parts, [])) == sorted(batch)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_of_fewer_samples_than_processes_some_have_none():
    batches, shares = drawn(9, 3, whole=False)
    assert len(batches[-1]) == 1 and [len(share[-1]) for share in shares] == [1, 0, 0]


def test_who_has_none_gets_a_batch_that_says_so():
    batches = [[2, 1], []]
    loader = DataLoader(
        [{"x": 5}, {"x": 6}, {"x": 7}],
        batch_sampler=batches,
        collate_fn=StandIns([{"x": 5}], lambda samples: {"x": [each["x"] for each in samples]}),
    )
    assert list(loader) == [{"x": [7, 6]}, {"x": [5], "stand_in": True}]


def test_whole_batches_go_round_and_come_back_in_order():
    batches, shares = drawn(18, 3, whole=True)
    assert shares[0] == batches[::3]
    assert interleave(shares) == batches


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_loader_of_one_process_and_its_share_draw_the_same(shuffle):
    loader = DataLoader(torch.arange(10), batch_size=4, shuffle=shuffle)
    torch.manual_seed(1)
    expected = [batch.tolist() for batch in loader]
    torch.manual_seed(1)
    shared = shared_loader(loader, 4, OneOf(0, 1, "cpu"), whole=False)
    assert [batch.tolist() for batch in shared] == expected


def test_a_stream_cannot_be_divided():
    class Stream(IterableDataset):
        dataset_name = "endless"

        def __iter__(self):
            return iter([])

    with pytest.raises(ConfigError, match="endless is a stream.*training.lightning.devices=1"):
        shared_loader(DataLoader(Stream()), 4, OneOf(0, 2, "cpu"), whole=False)
