"""Keep frames of different extractors apart."""

from collections.abc import Mapping
from typing import Any

from mmf_cmsbert.compat.mmf.steps import TrainerSteps
from mmf_cmsbert.config.splits import needed_splits
from mmf_cmsbert.media.card import check_same


class ChecksExtractors(TrainerSteps):
    """Refuses splits of a dataset whose frames were extracted differently.

    Attributes:
        extractors: dataset -> card of the extractors of its frames, where it is known.
    """

    extractors: Mapping[str, Mapping[str, Any]] = {}

    def load_datasets(self) -> None:
        super().load_datasets()
        found: dict[str, Mapping[str, Any]] = {}
        self.extractors = found
        for split in needed_splits(self.run_type):
            for dataset in getattr(self, f"{split}_loader").datasets:
                card = getattr(dataset, "extractors", None)
                if not card:
                    continue
                name = dataset.dataset_name
                first = found.setdefault(name, card)
                check_same(first, card, "the other splits", f"{name}, split {split}")
