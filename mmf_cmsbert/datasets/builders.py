"""The shipped datasets, registered with MMF."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mmf.common.registry import registry
from mmf.datasets.base_dataset_builder import BaseDatasetBuilder
from omegaconf import OmegaConf
from torch import Tensor

from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.config import definitions, run_folder, shipped
from mmf_cmsbert.config.schemas.corpora import DATASETS
from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.targets import Target
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.config.splits import needed_splits
from mmf_cmsbert.datasets.class_weights import balanced_weights, in_words
from mmf_cmsbert.datasets.dataset import SentimentDataset
from mmf_cmsbert.datasets.readers.media_files import media_in, media_message
from mmf_cmsbert.datasets.readers.registry import check_layout
from mmf_cmsbert.datasets.stored_split import stored_split
from mmf_cmsbert.datasets.stores.manifest import Manifest
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import DataError


class SentimentBuilder(BaseDatasetBuilder):
    """Builds a dataset from the files that the configuration names.

    Attributes:
        corpus: the name of the corpus.
        config_schema: the keys of ``dataset_config.<name>``.
    """

    corpus: str
    config_schema: type[SentimentDatasetConfig]

    def __init__(self, dataset_name: str | None = None, *args: Any, **kwargs: Any):
        super().__init__(dataset_name or self.corpus, *args, **kwargs)
        self._unaligned: dict[str, str | None] = {}
        self._targets: dict[str, Target] = {}
        self._balanced: dict[str, Tensor] | None = None
        self._statistics: dict[str, tuple[np.ndarray, np.ndarray]] | None = None

    @classmethod
    def config_path(cls) -> str:
        return str(shipped.dataset_path(cls.corpus))

    def build(self, config: Any, dataset_type: str = "train", *args: Any, **kwargs: Any) -> None:
        """Convert the split ``dataset_type``, unless that is done. MMF's first process calls this.

        With ``synthetic`` the split of the synthetic corpus is written first. A split that the run
        does not read is skipped.
        """
        if _is_read(dataset_type):
            self._segments(self._settings(config), dataset_type)

    def load(
        self, config: Any, dataset_type: str = "train", *args: Any, **kwargs: Any
    ) -> SentimentDataset | None:
        """Load the split ``dataset_type``; None if the run does not read it.

        Raises:
            ConfigError: a key or value of the configuration is wrong.
            DataError: a file is missing, damaged, or contradicts the configuration.
        """
        if not _is_read(dataset_type):
            return None
        settings = self._settings(config)
        segments = self._segments(settings, dataset_type)
        manifest = segments.manifest
        self._targets = settings.predicted
        if dataset_type == "train":
            self._check_modalities(settings, manifest)
        if dataset_type == "train":
            weighs = _weighs_classes()
            self._balanced = balanced_weights(segments, self._targets) if weighs else {}
            for line in in_words(self._balanced, self._targets):
                mmf_log.write(f"{self.dataset_name}: {line}")
        self._unaligned[dataset_type] = manifest.unaligned
        if dataset_type == "train":
            self._statistics = {}
            if settings.normalise == "corpus":
                self._statistics = {
                    modality: (np.array(mean), np.array(scale))
                    for modality, (mean, scale) in manifest.statistics.items()
                }
        return SentimentDataset(self.dataset_name, config, dataset_type, segments, settings)

    def _settings(self, config: Any) -> SentimentDatasetConfig:
        key = f"dataset_config.{self.dataset_name}"
        settings = read(self.config_schema, OmegaConf.to_container(config, resolve=True), key)
        check_layout(settings.layout, f"{key}.layout")
        return settings

    def _check_modalities(self, settings: SentimentDatasetConfig, manifest: Manifest) -> None:
        """Raise a DataError for a modality that was declared, and that no segment has.

        The default ones of a shipped corpus may be missing: its texts can be used alone.
        """
        shipped = definitions.is_shipped(self.corpus)
        defaults = self.config_schema.model_fields["features"].default if shipped else {}
        for modality, width in settings.widths.items():
            if width and modality not in manifest.widths and modality not in defaults:
                key = f"dataset_config.{self.dataset_name}"
                found = ", ".join(manifest.widths) or "none"
                raise DataError(
                    f"{key}.features.{modality} is {width}, but no segment of the training split "
                    f"has {modality} frames; found {found}. A folder or column of frames is named "
                    f"after its modality, or by {key}.columns.{modality}; to leave it out, type "
                    f"{key}.features.{modality}=null"
                )

    def _segments(self, settings: SentimentDatasetConfig, split: str) -> StoredSegments:
        return stored_split(self.corpus, self.dataset_name, settings, split, _log_media)

    def update_registry_for_model(self, config: Any) -> None:
        """Register properties of the data for models (widths are in the configuration).

        ``<dataset>_targets``: name -> definition. ``<dataset>_balanced``: target -> weights of its
        classes, if a loss weighs them. ``<dataset>_unaligned``: split -> a message on the first
        segment that is not word-aligned, or None. ``<dataset>_statistics``: modality -> mean and
        scale of the training split, if ``normalise`` is ``corpus``.
        """
        # MMF has a builder for each split, and some splits are not read.
        if self._targets:
            registry.register(f"{self.dataset_name}_targets", self._targets)
        if self._balanced is not None:
            registry.register(f"{self.dataset_name}_balanced", self._balanced)
        name = f"{self.dataset_name}_unaligned"
        registry.register(name, (registry.get(name, no_warning=True) or {}) | self._unaligned)
        if self._statistics is not None:
            registry.register(f"{self.dataset_name}_statistics", self._statistics)


for _name, _schema in DATASETS.items():
    registry.register_builder(_name)(
        type(
            f"{_schema.__name__.removesuffix('Config')}Builder",
            (SentimentBuilder,),
            {"__doc__": _schema.__doc__, "corpus": _name, "config_schema": _schema},
        )
    )


def _register(name: str, schema: type[SentimentDatasetConfig]) -> None:
    """Register a builder for a dataset that a user defines."""
    defined = {"corpus": name, "config_schema": schema, "__doc__": schema.__doc__}
    registry.register_builder(name)(type(f"{name}Builder", (_DefinedBuilder,), defined))


class _DefinedBuilder(SentimentBuilder):
    @classmethod
    @cache
    def config_path(cls) -> str:
        """Return a file of all defaults; the user's file has those that differ."""
        section = cls.config_schema().plain()
        return str(run_folder.temporary({"dataset_config": {cls.corpus: section}}))


definitions.when_defined(_register)


def _log_media(files: Sequence[Path]) -> None:
    if media := media_in(files):
        _log_once(media_message(media))


@cache
def _log_once(message: str) -> None:
    """Log a message once; splits of one folder have the same media files."""
    mmf_log.write(message)


def _weighs_classes() -> bool:
    """Return whether a loss of the current run needs the numbers of segments of each class."""
    config = registry.get("config", no_warning=True)
    losses = (
        OmegaConf.select(config, f"model_config.{config.get('model')}.losses") if config else []
    )
    params = [each.get("params") or {} for each in losses or [] if isinstance(each, Mapping)]
    return any(each.get("class_weights") == "balanced" for each in params)


def _is_read(split: str) -> bool:
    """Return whether the current run reads a split; outside of a run, true for all splits."""
    config = registry.get("config", no_warning=True)
    run_type = config.get("run_type") if config is not None else None
    return run_type is None or split in needed_splits(str(run_type))
