"""Batches divided among the processes of a run: the same batches, however many processes."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    Sampler,
    SequentialSampler,
)

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.losses.gathering import STAND_IN
from mmf_cmsbert.trainers.ranks import Ranks


class SharedBatches(Sampler[list[int]]):
    """What one process has of the batches that the first one draws.

    Args:
        batches: what draws them, lists of sample numbers.
        ranks: the processes.
        whole: each batch goes to one process, for an evaluation, and there may be fewer for some;
            else each has an equal share of every batch, which is empty for some where there are
            fewer samples than processes.
    """

    def __init__(self, batches: Collection[list[int]], ranks: Ranks, whole: bool):
        self.batches, self.ranks, self.whole = batches, ranks, whole

    def __iter__(self) -> Iterator[list[int]]:
        rank, count = self.ranks.rank, self.ranks.count
        batches = self.ranks.broadcast(list(self.batches) if rank == 0 else None)
        if self.whole:
            yield from batches[rank::count]
        else:
            for batch in batches:
                yield batch[rank::count]

    def __len__(self) -> int:
        batches = len(self.batches)
        if self.whole:
            return len(range(self.ranks.rank, batches, self.ranks.count))
        return batches


class StandIns:
    """Makes batches; a process without samples of its own gets one that counts for nothing.

    It has to take part in each update: the others wait for its gradients. The field ``stand_in``
    tells its batch from others.

    Args:
        dataset: where to take the sample from.
        collate: MMF's, makes a batch of samples.
    """

    def __init__(self, dataset: Any, collate: Callable[[list[Any]], Any]):
        self.dataset, self.collate = dataset, collate

    def __call__(self, samples: list[Any]) -> Any:
        if samples:
            return self.collate(samples)
        batch = self.collate([self.dataset[0]])
        batch[STAND_IN] = True
        return batch


def data_loaders(split: Any) -> list[Any]:
    """The loader of each dataset of a split, which MMF keeps in a list or by name."""
    return list(split.loaders.values() if isinstance(split.loaders, dict) else split.loaders)


def share(split: Any, batch_size: int, ranks: Ranks, whole: bool) -> None:
    """Let a split of MMF's give this process what it has of the batches; see `shared_loader`."""
    loaders = split.loaders
    for key in list(loaders) if isinstance(loaders, dict) else range(len(loaders)):
        loaders[key] = shared_loader(loaders[key], batch_size, ranks, whole)


def shared_loader(loader: Any, batch_size: int, ranks: Ranks, whole: bool) -> Any:
    """The same loader with what this process has of its batches.

    Args:
        loader: MMF's, whose sampler is for one process or torch's for several.
        batch_size: samples a batch, of all processes together.
        ranks, whole: as in :class:`SharedBatches`.

    Raises:
        ConfigError: a dataset that has no numbers for its samples.
    """
    dataset: Any = loader.dataset
    if isinstance(dataset, IterableDataset):
        raise ConfigError(
            f"dataset {getattr(dataset, 'dataset_name', dataset)} is a stream, which cannot be "
            "divided among processes; type training.lightning.devices=1"
        )
    sampled = loader.sampler
    shuffled = isinstance(sampled, RandomSampler) or getattr(sampled, "shuffle", False)
    sampler: Any = RandomSampler(dataset) if shuffled else SequentialSampler(dataset)
    batches: Any = BatchSampler(sampler, batch_size, False)
    return DataLoader(
        dataset,
        batch_sampler=SharedBatches(batches, ranks, whole),
        collate_fn=StandIns(dataset, loader.collate_fn),
        num_workers=loader.num_workers,
        pin_memory=loader.pin_memory,
        persistent_workers=loader.persistent_workers,
    )
