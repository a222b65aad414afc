"""Positions in an epoch over several datasets, which a checkpoint contains."""

from collections.abc import Iterable
from typing import Any

from mmf.utils.general import get_batch_size

from mmf_cmsbert.compat.mmf import log as mmf_log


def resume_epoch(loader: Any, position: dict[str, Any], data: dict[str, Any]) -> bool:
    """Start the next epoch of a loader at a position.

    Args:
        loader: a loader of several datasets.
        position: the position, which contains the fingerprint of its data.
        data: the fingerprint of the loader's data.

    Returns:
        Whether the position was used; not if the data differs.
    """
    if position["data"] == data:
        loader.resume_position = position
        return True
    mmf_log.write(
        f"The data or the batch size changed since the checkpoint ({position['data']} -> {data}): "
        "the epoch starts from the beginning.",
        "warning",
    )
    return False


def fingerprint(datasets: Iterable[Any]) -> dict[str, Any]:
    """Return the properties of the data for which a position is valid."""
    # Only MMF's datasets have a name.
    names = [getattr(dataset, "name", type(dataset).__name__) for dataset in datasets]
    lengths = {name: len(dataset) for name, dataset in zip(names, datasets, strict=True)}
    return {"samples": lengths, "batch_size": get_batch_size()}
