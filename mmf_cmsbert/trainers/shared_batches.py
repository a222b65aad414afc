"""Batches divided among the processes of a run, which do not depend on their number."""

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
    """Samples this process's share of the batches that the first process draws.

    Args:
        batches: the batch sampler; yields lists of sample indices.
        ranks: the processes.
        whole: if true, each batch goes to one process, for an evaluation; some processes may get
            fewer batches. Otherwise each process gets an equal share of every batch, which is
            empty if there are fewer samples than processes.
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
    """Collates samples; a process without samples gets a batch that does not count.

    Each process has to take part in every update, because the others wait for its gradients. The
    field ``stand_in`` marks such a batch.

    Args:
        dataset: the dataset; its first sample is used for the batch that does not count.
        collate: MMF's function that makes a batch of samples.
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
    """Return the loader of each dataset of a split; rc10 keeps a list, main a dict."""
    return list(split.loaders.values() if isinstance(split.loaders, dict) else split.loaders)


def share(split: Any, batch_size: int, ranks: Ranks, whole: bool) -> None:
    """Replace each loader of a split by its `shared_loader`."""
    loaders = split.loaders
    for key in list(loaders) if isinstance(loaders, dict) else range(len(loaders)):
        loaders[key] = shared_loader(loaders[key], batch_size, ranks, whole)


def shared_loader(loader: Any, batch_size: int, ranks: Ranks, whole: bool) -> Any:
    """Return a copy of a loader that yields this process's share of the batches.

    Args:
        loader: MMF's DataLoader, with or without torch's DistributedSampler.
        batch_size: samples per batch, over all processes.
        ranks: the processes.
        whole: as in :class:`SharedBatches`.

    Raises:
        ConfigError: the dataset is a stream, whose samples have no indices.
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
