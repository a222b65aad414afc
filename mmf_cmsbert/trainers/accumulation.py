"""Gradient accumulation: one update from several batches."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.losses.gathering import STAND_IN
from mmf_cmsbert.trainers.ranks import Ranks

FREQUENCY, LIGHTNING = "training.update_frequency", "training.lightning.accumulate_grad_batches"


def batches_per_update(training: Any, by_lightning: bool) -> int:
    """Return the number of batches per update, from the section ``training``.

    Args:
        training: every trainer reads ``update_frequency``; ``lightning_cmsbert`` also reads
            ``lightning.accumulate_grad_batches``.
        by_lightning: whether the trainer is ``lightning_cmsbert``.

    Raises:
        ConfigError: a value is not an integer >= 1, or the two contradict each other.
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
    """Yield lists of ``size`` batches; the last list may be shorter."""
    group = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def shares(group: Sequence[Any], ranks: Ranks) -> list[float]:
    """Return the fraction of a group's samples that is in each batch, over all processes.

    If a loss is the mean over its batch, the losses weighted by these fractions sum to the mean
    over the group. Their gradients sum to those of one batch with all samples.
    """
    if len(group) == 1:
        return [1.0]
    local = [0 if STAND_IN in batch else batch.get_batch_size() for batch in group]
    sizes = [sum(each) for each in zip(*ranks.gather(local), strict=True)]
    return [size / sum(sizes) for size in sizes]


def metric_fields(trainer: Any) -> Sequence[str]:
    """Return the report fields that the training metrics read."""
    if not trainer.training_config.evaluate_metrics:
        return ()
    return trainer.metrics.required_params


def merge_reports(reports: Sequence[Any], shares: Sequence[float], fields: Sequence[str]) -> Any:
    """Merge the reports of an update's batches into the report of one batch with all samples.

    Args:
        reports: one report per batch.
        shares: the fraction of the update's samples in each batch.
        fields: the fields to concatenate; losses are always merged.
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
