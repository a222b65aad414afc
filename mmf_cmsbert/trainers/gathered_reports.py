"""Evaluation by several processes, each of which computes some of the batches."""

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

import torch
from mmf.common.report import Report
from mmf.common.sample import SampleList
from torch import Tensor

from mmf_cmsbert.trainers.shared_batches import data_loaders

# Fields that the evaluation reads besides those of the metrics.
_FIELDS = ("dataset_name", "dataset_type", "batch_size", "losses")


class GatheredReports:
    """Iterates over the reports of all batches of a split, in the order of a single process.

    Batches are not divided, because a loss may depend on the other samples in its batch.

    Args:
        trainer: an MMF trainer with ``ranks``, model and metrics.
        loader: the loader of the split; its DataLoaders yield the batches of this process.
    """

    def __init__(self, trainer: Any, loader: Any):
        self.trainer, self.loader = trainer, loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def __len__(self) -> int:
        """Return the number of batches over all processes."""
        return sum(len(each.batch_sampler.batches) for each in data_loaders(self.loader))

    def __iter__(self) -> Iterator[Report]:
        ranks = self.trainer.ranks
        # Without DistributedDataParallel, which waits for the other processes in each batch
        model = getattr(self.trainer.model, "module", self.trainer.model)
        wanted = (*_FIELDS, *self.trainer.metrics.required_params)
        for batches in data_loaders(self.loader):
            kept = []
            for report in compute_reports(model, batches.dataset, batches):
                found = {name: report[name] for name in wanted if name in report}
                # On the CPU, because the gathered objects are pickled.
                kept.append(_moved(found, "cpu"))
            for found in interleave(ranks.gather(kept)):
                yield Report(list(_moved(found, ranks.device).items()))


def compute_reports(model: Any, dataset: Any, batches: Any) -> Iterator[Report]:
    """Yield the model's report of each batch of one dataset."""
    with torch.no_grad():
        for batch in batches:
            prepared = dataset.prepare_batch(SampleList(batch))
            prepared.dataset_name = dataset.dataset_name
            prepared.dataset_type = dataset.dataset_type
            yield Report(prepared, model(prepared))


def interleave(shares: Sequence[Sequence[Any]]) -> list[Any]:
    """Merge sequences round-robin: the inverse of ``batches[rank::count]``."""
    missing = object()
    merged = chain.from_iterable(zip_longest(*shares, fillvalue=missing))
    return [each for each in merged if each is not missing]


def _moved(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to(device)
    if isinstance(value, dict):
        return {name: _moved(each, device) for name, each in value.items()}
    return value
