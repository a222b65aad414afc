"""Predictions of a missing split."""

from typing import Any

from mmf.common.dataset_loader import DatasetLoader

from mmf_cmsbert.compat.mmf.splits import no_samples
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import DataError


@patch(
    "mmf.common.dataset_loader.DatasetLoader.get_test_reporter",
    "rc10",
    why="Predicting a missing split raises an IndexError.",
    remove_when="support for rc10 ends.",
)
def refuse_missing_split() -> None:
    original = DatasetLoader.get_test_reporter

    def get_test_reporter(self: DatasetLoader, dataset_type: str) -> Any:
        loader = getattr(self, f"{dataset_type}_dataset")
        if not loader.get_datasets():
            raise DataError(no_samples(loader))
        return original(self, dataset_type)

    DatasetLoader.get_test_reporter = get_test_reporter
