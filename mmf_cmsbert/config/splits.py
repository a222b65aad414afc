"""The splits of the data that a run reads, according to ``run_type``."""

# Split -> the parts of `run_type` that read it. Training validates to select the best checkpoint.
_READ_BY = {
    "train": ("train",),
    "val": ("train", "val"),
    "test": ("inference", "test", "predict"),
}


def needed_splits(run_type: str) -> list[str]:
    """Return the splits that a run reads, for example ``["train", "val", "test"]``.

    Args:
        run_type: MMF's ``run_type``: one or several of ``train``, ``val``, ``test``, ``inference``
            and ``predict``, joined by ``_`` or ``+``.
    """
    return [split for split, parts in _READ_BY.items() if any(part in run_type for part in parts)]


def trains(run_type: str) -> bool:
    """Return whether a run trains, or only evaluates a model."""
    return "train" in run_type
