"""Positions in passes over datasets, which a checkpoint holds."""

from collections.abc import Iterable
from typing import Any

from mmf.utils.general import get_batch_size

from mmf_cmsbert.compat.mmf import log as mmf_log


def resume_epoch(loader: Any, position: dict, data: dict) -> bool:
    """Let the next pass of `loader` begin at `position` if that was taken from the same `data`."""
    if position["data"] == data:
        loader.resume_position = position
        return True
    mmf_log.write(
        f"The data or the batch size changed since the checkpoint ({position['data']} -> {data}): "
        "the epoch begins anew.",
        "warning",
    )
    return False


def fingerprint(datasets: Iterable) -> dict:
    """What must be the same for a position to mean the same."""
    # a dataset that is not of MMF's kind need not have a name
    names = [getattr(dataset, "name", type(dataset).__name__) for dataset in datasets]
    lengths = {name: len(dataset) for name, dataset in zip(names, datasets, strict=True)}
    return {"samples": lengths, "batch_size": get_batch_size()}
