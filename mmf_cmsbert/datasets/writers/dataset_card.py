"""The card of a written dataset: ``README.md`` with the hub's metadata and figures of the data."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from mmf_cmsbert.config.schemas.corpora import title
from mmf_cmsbert.datasets.segment import in_order
from mmf_cmsbert.datasets.stores.manifest import Manifest

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MOST_SOURCES = 20


def card(corpus: str, splits: Mapping[str, Manifest]) -> str:
    """Write the card.

    Args:
        corpus: the corpus.
        splits: the hub's name of a split -> the manifest of its store.
    """
    count = sum(each.segments for each in splits.values())
    name = title(corpus)
    head = {
        "pretty_name": f"{name}, segments for mmf_cmsbert",
        "license": "unknown",
        "tags": ["multimodal", "sentiment-analysis", "mmf_cmsbert"],
        "size_categories": [next((n for most, n in _SIZES if count < most), "n>1M")],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*.parquet"} for split in splits
                ],
            }
        ],
    }
    synthetic = any(each.synthetic for each in splits.values())
    parts = [
        "---\n# Replace 'unknown' by the licence under which you may publish this data.\n"
        f"{yaml.safe_dump(head, sort_keys=False)}---",
        f"# {name}: segments",
        "**This is synthetic data, made by mmf_cmsbert; it is for trying software only.**"
        if synthetic
        else "",
        "Written by `cmsbert data convert --to datasets` of mmf_cmsbert. A row is one segment of "
        "a video: its words, the frames of each modality, and a label.",
        "    from datasets import load_dataset\n    segments = load_dataset(FOLDER)",
        "## Licence\n\nTo be filled in: the licence of the data, and who may use it.",
        f"## Splits\n\n{_splits(splits)}",
        f"## Columns\n\n{_columns(splits)}",
        f"## Sources\n\n{_sources(splits)}",
        f"## How it was converted\n\n{_settings(splits)}",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _splits(splits: Mapping[str, Manifest]) -> str:
    modalities = in_order(m for each in splits.values() for m in each.missing)
    rows = [
        [
            split,
            f"{each.segments:,}",
            f"{each.labels:,}",
            "" if each.label_mean is None else f"{each.label_mean:.3f}",
            *(f"{each.longest.get(name, 0):,}" for name in ("words", *modalities)),
            *(f"{each.missing.get(name, each.segments):,}" for name in modalities),
            f"{len(each.skipped):,}",
        ]
        for split, each in splits.items()
    ]
    head = ["split", "segments", "with a label", "mean label", "most words"]
    head += [f"most {modality} frames" for modality in modalities]
    head += [f"without {modality}" for modality in modalities]
    return _table([*head, "left out"], rows)


def _columns(splits: Mapping[str, Manifest]) -> str:
    widths = {m: w for each in splits.values() for m, w in each.widths.items()}
    rows = [
        ["id", "string", "unique in a split"],
        ["video", "string", "the video that the segment is cut from"],
        ["words", "list of string", "the spoken words in order"],
        ["label", "float64", _label(splits)],
        ["start, end", "float64", "seconds into the video; null: unknown"],
        *(
            [m, f"list of {widths[m]} float32", "a row a frame; null: the modality is missing"]
            for m in in_order(widths)
        ),
        *([f"target_{n}", "list of float64", _target(t)] for n, t in _further(splits).items()),
        ["metadata", "string", "other columns of the source, as JSON"],
    ]
    return _table(["column", "type", "content"], rows)


def _declared(splits: Mapping[str, Manifest]) -> dict[str, Mapping[str, Any]]:
    """Return the targets that the stores were converted with, the main one first."""
    found: dict[str, Mapping[str, Any]] = {}
    for each in splits.values():
        found |= dict(each.settings.get("targets") or [])
    return found


def _label(splits: Mapping[str, Manifest]) -> str:
    for name, target in _declared(splits).items():
        if target["kind"] == "multilabel":
            return f"null: the labels of {name} are in target_{name}"
        return f"{name}: {_target(target)}"
    return "sentiment in [-3, 3]; null: unknown"


def _further(splits: Mapping[str, Manifest]) -> dict[str, Mapping[str, Any]]:
    stored = {name for each in splits.values() for name in each.targets}
    return {name: target for name, target in _declared(splits).items() if name in stored}


def _target(target: Mapping[str, Any]) -> str:
    if target["kind"] == "regression":
        return f"a number in [{target['low']:g}, {target['high']:g}]; null: unknown"
    numbered = ", ".join(f"{number} {name}" for number, name in enumerate(target["names"]))
    if target["kind"] == "classes":
        return f"the number of a class: {numbered}; null: unknown"
    return f"0 or 1 for each of {', '.join(target['names'])}; null: unknown"


def _sources(splits: Mapping[str, Manifest]) -> str:
    rows = []
    for split, each in splits.items():
        sources = [[split, Path(s.path).name, f"{s.size:,}", s.sha256] for s in each.sources]
        rows += sources[:_MOST_SOURCES]
        if len(sources) > _MOST_SOURCES:
            rows.append([split, f"and {len(sources) - _MOST_SOURCES} more files", "", ""])
    return _table(["split", "file", "bytes", "SHA-256"], rows)


def _settings(splits: Mapping[str, Manifest]) -> str:
    keys = ("layout", "alignment", "max_frames", "by_segment", "on_invalid", "non_finite")
    settings = next(iter(splits.values())).settings
    rows = [[key, str(settings[key])] for key in keys if key in settings]
    rows += [[f"content of {split}", f"SHA-256 {each.content}"] for split, each in splits.items()]
    return _table(["setting", "value"], rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )
