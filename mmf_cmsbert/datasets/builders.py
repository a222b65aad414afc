"""The datasets ``mosi`` and ``mosei`` as MMF finds them by name."""

from pathlib import Path
from typing import Any

from mmf.common.registry import registry
from mmf.datasets.base_dataset_builder import BaseDatasetBuilder

from mmf_cmsbert.datasets.dataset import SentimentDataset
from mmf_cmsbert.datasets.layouts import read_files
from mmf_cmsbert.datasets.normalise import by_segment, corpus_statistics
from mmf_cmsbert.datasets.settings import DatasetSettings, defaults_path, read_dataset_settings
from mmf_cmsbert.datasets.synthetic import SPLITS, is_synthetic, write_split
from mmf_cmsbert.datasets.validation import check_split, unaligned
from mmf_cmsbert.datasets.windows import shorten
from mmf_cmsbert.errors import DataError


class SentimentBuilder(BaseDatasetBuilder):
    """Reads a corpus of segments out of the files that the configuration names."""

    corpus: str

    def __init__(self, dataset_name: str | None = None, *args: Any, **kwargs: Any):
        super().__init__(dataset_name or self.corpus, *args, **kwargs)
        self._unaligned: dict[str, str | None] = {}
        self._statistics: dict[str, tuple] | None = None

    @classmethod
    def config_path(cls) -> str:
        return str(defaults_path(cls.corpus))

    def build(self, config: Any, dataset_type: str = "train", *args: Any, **kwargs: Any) -> None:
        """Write the synthetic corpus where ``synthetic`` asks for it; real data is only read."""
        settings = read_dataset_settings(self.dataset_name, config)
        if settings.synthetic:
            for split in SPLITS:
                write_split(settings.files[split][0], split, settings.synthetic, settings.widths)

    def load(
        self, config: Any, dataset_type: str = "train", *args: Any, **kwargs: Any
    ) -> SentimentDataset:
        """The split ``dataset_type``, validated.

        Raises:
            ConfigError: a key or value of the configuration is wrong.
            DataError: a file is missing, damaged, or not what the configuration says.
        """
        settings = read_dataset_settings(self.dataset_name, config)
        files = settings.files[dataset_type]
        missing = [file for file in files if not file.exists()]
        if missing:
            raise DataError(_how_to_get(settings, dataset_type, missing))
        others = [each for split, each in settings.files.items() if split != dataset_type]
        segments = read_files(
            files,
            dataset_type,
            settings.layout,
            self.corpus,
            settings.alignment,
            elsewhere=sum(others, []),
        )
        check_split(
            segments,
            settings.widths,
            ", ".join(map(str, files)),
            settings.key,
            labelled=dataset_type != "test",
        )
        segments = [shorten(segment, settings.max_frames) for segment in segments]
        if settings.normalise == "segment":
            segments = [by_segment(segment) for segment in segments]
        if dataset_type == "train":
            corpus_wide = settings.normalise == "corpus"
            self._statistics = corpus_statistics(segments) if corpus_wide else {}
        used = [modality for modality, width in settings.widths.items() if width]
        self._unaligned = {dataset_type: unaligned(segments, used)}
        synthetic = any(is_synthetic(file) for file in files)
        return SentimentDataset(
            self.dataset_name, config, dataset_type, segments, settings, synthetic
        )

    def update_registry_for_model(self, config: Any) -> None:
        """Tell models what the data at hand is like; the widths they read from the configuration.

        ``<dataset>_unaligned``: split -> the first segment that is not word-aligned, in words, or
        None. ``<dataset>_statistics``: modality -> mean and scale of the training split, where
        ``normalise`` is ``corpus``.
        """
        name = f"{self.dataset_name}_unaligned"
        registry.register(name, (registry.get(name, no_warning=True) or {}) | self._unaligned)
        if self._statistics is not None:
            registry.register(f"{self.dataset_name}_statistics", self._statistics)


@registry.register_builder("mosi")
class MOSIBuilder(SentimentBuilder):
    """CMU-MOSI (Zadeh et al., 2016): 2,199 opinion segments of 93 videos."""

    corpus = "mosi"


@registry.register_builder("mosei")
class MOSEIBuilder(SentimentBuilder):
    """CMU-MOSEI (Zadeh et al., 2018): 22,856 segments in the canonical split of its videos."""

    corpus = "mosei"


def _how_to_get(settings: DatasetSettings, split: str, missing: list[Path]) -> str:
    name = settings.key.split(".")[-1]
    where = "".join(f"\n  {file}" for file in missing)
    return (
        f"{name}: no data file for the {split} split. Looked for{where}\n"
        f"({settings.key}.annotations.{split}, in {settings.key}.data_dir={settings.data_dir})\n"
        f"CMU-{name.upper()} is research data and does not come with this package. Its processed "
        "pickles circulate with the MISA, MAG-BERT and MMSA repositories on GitHub, its raw "
        "features with CMU-MultimodalSDK. Put the pickle there, or type "
        f"{settings.key}.annotations.{split}=[/path/to/{missing[0].name}]\n"
        "To try the model without any data, on a synthetic corpus: "
        "mmf_run config=projects/cmsbert/demo.yaml"
    )
