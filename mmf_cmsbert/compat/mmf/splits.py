"""Messages for splits that are absent or empty."""

from typing import Any


def no_samples(loader: Any) -> str:
    """The message for a loader of several datasets, none of which has the split."""
    names = ", ".join(loader._given_datasets)
    return (
        f"There is no sample in the {loader.dataset_type} split of {names}. Name its files in "
        f"dataset_config.<dataset>.annotations.{loader.dataset_type}, or leave that split out of "
        "run_type."
    )


def empty_dataset(name: str, split: str) -> str:
    """The message for a dataset that has a split without a sample."""
    return (
        f"The {split} split of dataset {name} is empty. Look at "
        f"dataset_config.{name}.annotations.{split}."
    )
