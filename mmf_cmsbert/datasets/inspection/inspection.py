"""Describe a corpus: a report of built-in types, made in one pass over its segments."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mmf_cmsbert.config.schemas.targets import SENTIMENT, Target
from mmf_cmsbert.datasets.inspection.findings import findings
from mmf_cmsbert.datasets.inspection.split_figures import SplitFigures
from mmf_cmsbert.datasets.readers.canonical import canonical_videos, has_canonical_videos
from mmf_cmsbert.datasets.readers.media_files import media_in
from mmf_cmsbert.datasets.readers.reading import by_layout, read_files
from mmf_cmsbert.datasets.readers.source import Source
from mmf_cmsbert.datasets.segment import SPLITS, in_order
from mmf_cmsbert.errors import DataError


def inspect_source(
    source: Source,
    dataset: str | None = None,
    layout: str = "auto",
    alignment: str = "word",
    vocabulary: Sequence[str] | None = None,
    columns: Mapping[str, str] | None = None,
    label_values: Mapping[str, float] | None = None,
    targets: Mapping[str, Target] | None = None,
) -> dict[str, Any]:
    """Read a corpus once and describe it.

    Args:
        source: its files.
        dataset: ``mosi`` or ``mosei`` to compare with its canonical split; None for neither.
        layout: the layout of all files, or ``auto``.
        alignment: ``word`` or ``none``, for computational sequences.
        vocabulary: the word pieces, by id, for MMSA files that have ids and no text.
        columns: field -> column, for lists of segments and Hugging Face datasets.
        label_values: name of a class -> its label, for Hugging Face datasets.
        targets: the declared targets, the main one first; None for sentiment in [-3, 3].

    Returns:
        ``layouts``, ``dataset``, ``modalities``, ``splits`` (split -> figures), ``unlisted``
        (videos in no split), ``media`` (files that are not read), ``unreadable`` (split -> reason),
        ``across`` (what splits share), ``canonical`` (split -> videos of other splits) and
        ``findings`` (sentences).

    Raises:
        ConfigError: ``dataset`` is missing for computational sequences.
        DataError: no split can be read. If only some cannot, they are reported.
    """
    splits: dict[str, SplitFigures] = {}
    unreadable: dict[str, DataError] = {}
    for split, files in source.files.items():
        others = [file for other, each in source.files.items() if other != split for file in each]
        figures = SplitFigures(targets or SENTIMENT)
        # disable=None: shown on a terminal only.
        with tqdm(desc=f"reading {split}", unit=" segments", disable=None) as bar:
            segments = read_files(
                files,
                split,
                layout,
                dataset,
                alignment,
                others,
                vocabulary,
                on_count=partial(_expect, bar),
                columns=columns,
                label_values=label_values,
                targets=targets,
            )
            try:
                for segment in segments:
                    figures.add(segment)
                    bar.update()
                splits[split] = figures
            except DataError as error:
                unreadable[split] = error
    if not splits:
        raise next(iter(unreadable.values()))
    modalities = in_order(m for figures in splits.values() for m in figures.modalities)
    report: dict[str, Any] = {
        "layouts": list(source.layouts) if layout == "auto" else [layout],
        "dataset": dataset,
        "modalities": modalities,
        "splits": {
            split: {"files": list(map(str, source.files[split])), **figures.found(modalities)}
            for split, figures in splits.items()
        },
        "unlisted": _unlisted(source, dataset, layout),
        "media": list(map(str, media_in(_files(source)))),
        "unreadable": {split: str(error) for split, error in unreadable.items()},
        "across": _across(splits),
        "canonical": {
            split: _off_canonical(sorted(figures.videos), dataset, split)
            for split, figures in splits.items()
            if dataset is not None and has_canonical_videos(dataset)
        },
    }
    return report | {"findings": findings(report)}


def _files(source: Source) -> list[Path]:
    return list(dict.fromkeys(file for files in source.files.values() for file in files))


def _unlisted(source: Source, dataset: str | None, layout: str) -> list[str]:
    """Return the videos of the source that belong to no split."""
    groups = by_layout(_files(source), layout)
    return [video for each, files in groups for video in each.unlisted(files, dataset or "mosi")]


def _expect(bar: tqdm, count: int) -> None:
    bar.total = (bar.total or 0) + count


def _across(splits: Mapping[str, SplitFigures]) -> list[dict[str, Any]]:
    """Return what each pair of splits has in common."""
    return [
        {
            "splits": [one, other],
            "videos": _common(splits[one].videos, splits[other].videos),
            "ids": _common(splits[one].ids, splits[other].ids),
            "texts": [
                {"text": text, "segments": [splits[one].texts[text], splits[other].texts[text]]}
                for text in _common(splits[one].texts, splits[other].texts)
            ],
        }
        for one, other in combinations(splits, 2)
    ]


def _common(one: Iterable[str], other: Iterable[str]) -> list[str]:
    return sorted(set(one) & set(other))


def _off_canonical(videos: Sequence[str], dataset: str, split: str) -> dict[str, Any]:
    belongs = {video: each for each in SPLITS for video in canonical_videos(dataset, each)}
    return {
        "elsewhere": {v: belongs[v] for v in videos if belongs.get(v, split) != split},
        "unknown": [video for video in videos if video not in belongs],
    }
