"""An evaluation that several processes make together, each of some of its batches."""

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

import torch
from mmf.common.report import Report
from mmf.common.sample import SampleList
from torch import Tensor

from mmf_cmsbert.trainers.shared_batches import data_loaders

# What a report has besides what metrics want.
_FIELDS = ("dataset_name", "dataset_type", "batch_size", "losses")


class GatheredReports:
    """A split that gives reports of all its batches, in the order that one process has them in.

    Whole batches go to one process each: a loss may depend on what else is in its batch.

    Args:
        trainer: an MMF trainer with ``ranks``, model and metrics.
        loader: its split, whose DataLoaders give this process its batches.
    """

    def __init__(self, trainer: Any, loader: Any):
        self.trainer, self.loader = trainer, loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def __len__(self) -> int:
        """The batches of all processes together."""
        return sum(len(each.batch_sampler.batches) for each in data_loaders(self.loader))

    def __iter__(self) -> Iterator[Report]:
        ranks = self.trainer.ranks
        # Not what wraps it for training, which waits for the other processes in each batch
        model = getattr(self.trainer.model, "module", self.trainer.model)
        wanted = (*_FIELDS, *self.trainer.metrics.required_params)
        for batches in data_loaders(self.loader):
            kept = []
            for report in reports(model, batches.dataset, batches):
                found = {name: report[name] for name in wanted if name in report}
                # Not on the device: what is sent to other processes is pickled.
                kept.append(_moved(found, "cpu"))
            for found in in_order(ranks.gather(kept)):
                yield Report(list(_moved(found, ranks.device).items()))


def reports(model: Any, dataset: Any, batches: Any) -> Iterator[Report]:
    """What the model makes of each batch of one dataset."""
    with torch.no_grad():
        for batch in batches:
            prepared = dataset.prepare_batch(SampleList(batch))
            prepared.dataset_name = dataset.dataset_name
            prepared.dataset_type = dataset.dataset_type
            yield Report(prepared, model(prepared))


def in_order(shares: Sequence[Sequence[Any]]) -> list[Any]:
    """One sequence of what was dealt out to processes one by one."""
    missing = object()
    dealt = chain.from_iterable(zip_longest(*shares, fillvalue=missing))
    return [each for each in dealt if each is not missing]


def _moved(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, Tensor):
        return value.detach().to(device)
    if isinstance(value, dict):
        return {name: _moved(each, device) for name, each in value.items()}
    return value
