"""The store of a dataset's split, from the keys of ``dataset_config.<name>``."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.datasets.conversion import (
    convert,
    defined_settings,
    fitting_store,
    store_name,
)
from mmf_cmsbert.datasets.split_files import read_split_files
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.datasets.synthetic import write_split


def stored_split(
    corpus: str,
    name: str,
    settings: SentimentDatasetConfig,
    split: str,
    on_convert: Callable[[Sequence[Path]], Any] = lambda files: None,
) -> StoredSegments:
    """Return the segments of a split, which are converted unless that is done.

    With ``synthetic`` the split of the synthetic corpus is written first.

    Args:
        corpus: ``mosi`` or ``mosei``.
        name: the dataset's name.
        settings: ``dataset_config.<name>``, checked.
        split: ``train``, ``val`` or ``test``.
        on_convert: called with the files before they are read, if they are read.

    Raises:
        ConfigError: a value contradicts another one.
        DataError: a file is missing, damaged, or contradicts the configuration.
    """
    split_files = read_split_files(type(settings), name, settings.plain())
    if settings.synthetic:  # main loads splits that it has not built
        file = split_files.annotations[split][0]
        write_split(file, split, dict(settings.synthetic), settings.widths)
    files = split_files.of(split)
    conversion = replace(
        defined_settings(corpus, settings),
        widths=settings.widths,
        labelled=split != "test",
        split_rule=settings.split.plain() if settings.split else None,
    )
    if store := fitting_store(files, split, conversion):
        return store
    elsewhere = split_files.shared(split)
    folder = settings.store_folder / store_name(files, split, conversion, elsewhere)
    return convert(files, split, conversion, folder, elsewhere, lambda: on_convert(files))
