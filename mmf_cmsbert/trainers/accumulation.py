"""Updates of several batches, whose gradients are added up."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.losses.gathering import STAND_IN
from mmf_cmsbert.trainers.ranks import Ranks

FREQUENCY, LIGHTNING = "training.update_frequency", "training.lightning.accumulate_grad_batches"


def batches_per_update(training: Any, by_lightning: bool) -> int:
    """Batches whose gradients make one update, from the section ``training``.

    Args:
        training: ``update_frequency`` holds for every trainer;
            ``lightning.accumulate_grad_batches`` for ``lightning_cmsbert`` only.
        by_lightning: whether that is the trainer.

    Raises:
        ConfigError: no whole number of at least 1, or the two contradict each other.
    """
    frequency = training.get("update_frequency")
    frequency = 1 if frequency is None else frequency
    accumulated = (training.get("lightning") or {}).get("accumulate_grad_batches", 1)
    for key, value in ((FREQUENCY, frequency), (LIGHTNING, accumulated)):
        if type(value) is not int or value < 1:
            raise ConfigError(f"{key} is {value!r}; expected a whole number, at least 1")
    if accumulated == 1:
        return frequency
    if not by_lightning:
        raise ConfigError(
            f"{LIGHTNING} is {accumulated}, which training.trainer={training.trainer} does not "
            f"read; type {FREQUENCY}={accumulated} and {LIGHTNING}=1"
        )
    if frequency not in (1, accumulated):
        raise ConfigError(
            f"{FREQUENCY} is {frequency} and {LIGHTNING} is {accumulated}; set one of them, and "
            "leave the other one at 1"
        )
    return accumulated


def groups(batches: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Lists of ``size`` batches; the last one has those that are left."""
    group = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def shares(group: Sequence[Any], ranks: Ranks) -> list[float]:
    """The share of each batch in the samples of its group, all processes counted.

    Multiplied by it, losses that are means over a batch add up to the mean over the group, and
    their gradients to those of one batch with all samples.
    """
    if len(group) == 1:
        return [1.0]
    mine = [0 if STAND_IN in batch else batch.get_batch_size() for batch in group]
    sizes = [sum(each) for each in zip(*ranks.gather(mine), strict=True)]
    return [size / sum(sizes) for size in sizes]


def of_metrics(trainer: Any) -> Sequence[str]:
    """The fields of a report that metrics of training need."""
    if not trainer.training_config.evaluate_metrics:
        return ()
    return trainer.metrics.required_params


def joined(reports: Sequence[Any], shares: Sequence[float], fields: Sequence[str]) -> Any:
    """The report of an update: that of one batch with all samples.

    Args:
        reports: those of the batches.
        shares: of each batch in the samples of the update.
        fields: what to join besides losses.
    """
    first, *others = reports
    if not others:
        return first
    losses = [{name: loss.detach() for name, loss in each.losses.items()} for each in reports]
    for field in fields:
        if isinstance(first.get(field), Tensor):
            first[field] = torch.cat([each[field] for each in reports])
    for report in others:
        first.batch_size += report.batch_size
    first.losses = {
        name: sum(share * each[name] for each, share in zip(losses, shares, strict=True))
        for name in losses[0]
    }
    return first
