"""Error messages for splits that are missing or empty."""

from typing import Any


def no_samples(loader: Any) -> str:
    """Return the message for a loader whose datasets all lack the split."""
    names = ", ".join(loader._given_datasets)
    return (
        f"There is no sample in the {loader.dataset_type} split of {names}. Name its files in "
        f"dataset_config.<dataset>.annotations.{loader.dataset_type}, or remove that split from "
        "run_type."
    )


def empty_dataset(name: str, split: str) -> str:
    """Return the message for a dataset whose split has no samples."""
    return (
        f"The {split} split of dataset {name} is empty. Check "
        f"dataset_config.{name}.annotations.{split}."
    )
