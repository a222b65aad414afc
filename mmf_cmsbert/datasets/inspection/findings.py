"""Findings of an inspection, each one sentence, with advice."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.datasets.readers.media_files import media_message
from mmf_cmsbert.datasets.readers.video_lists import EXAMPLE, NAME

_SHOWN = 3
# With a larger ratio of deviations, some columns dominate a linear map.
_FAR_APART = 1000.0


def findings(report: Mapping[str, Any]) -> list[str]:
    """Return the findings, the most serious first.

    Args:
        report: from :func:`mmf_cmsbert.datasets.inspection.inspection.inspect_source`.
    """
    return [*_unusable(report), *_leaks(report), *_features(report), *_left_out(report)]


def _unusable(report: Mapping[str, Any]) -> Iterator[str]:
    for split, why in report["unreadable"].items():
        yield f"the {split} split cannot be read: {why}"
    for split, found in report["splits"].items():
        if not found["segments"]:
            yield f"{split} has no segments"
        if unreadable := found["unreadable_segments"]:
            yield (
                f"{split}: {_many(unreadable, 'segment')} cannot be used (cmsbert data convert "
                f"--skip-invalid skips them): {unreadable[0]}"
            )
        if names := found["duplicate_ids"]:
            yield f"{split}: {_many(names, 'segment')} with a duplicate id: {_some(names)}"
        if names := found["labels"]["out_of_range"]:
            wanted = found["labels"]["expected"].removeprefix("a number in ")
            yield f"{split}: {_many(names, 'label')} outside {wanted}: {_some(names)}"
        if (names := found["labels"]["unlabelled"]) and split != "test":
            yield f"{split}: {_many(names, 'segment')} without a label: {_some(names)}"
        for modality, frames in found["frames"].items():
            if len(frames) > 1:
                widths = ", ".join(f"{f['width']} ({f['segments']})" for f in frames)
                yield f"{split}: {modality} frames of different widths (segments): {widths}"
            if names := [name for f in frames for name in f["not_finite_segments"]]:
                nan, inf = (sum(f[kind] for f in frames) for kind in ("nan", "inf"))
                yield (
                    f"{split}: {nan} NaN and {inf} infinite {modality} values in "
                    f"{_many(names, 'segment')} (cmsbert data convert --non-finite zero replaces "
                    f"them by zeros): {_some(names)}"
                )


def _leaks(report: Mapping[str, Any]) -> Iterator[str]:
    for pair in report["across"]:
        names = " and ".join(pair["splits"])
        if ids := pair["ids"]:
            yield f"{_many(ids, 'segment id')} in {names}: {_some(ids)}"
        if videos := pair["videos"]:
            yield f"{_many(videos, 'video')} in {names}, which leaks: {_some(videos)}"
        if texts := pair["texts"]:
            said = _some([f'"{each["text"][:60]}"' for each in texts])
            yield f"{_many(texts, 'text')} in {names}: {said}"
    for split, found in report["canonical"].items():
        corpus = report["dataset"].upper()
        if videos := found["elsewhere"]:
            yield (
                f"{split}: {_many(videos, 'video')} from another canonical split of {corpus}: "
                f"{_some([f'{video} ({other})' for video, other in videos.items()])}"
            )
        if videos := found["unknown"]:
            yield f"{split}: {_many(videos, 'video')} not of {corpus}: {_some(videos)}"
    for split, found in report["splits"].items():
        if names := found["no_video"]:
            yield (
                f"{split}: {_many(names, 'segment')} whose ids name no video, so that each counts "
                f"as a separate video: {_some(names)}. If some belong to one video, name it in a "
                "column 'video', or by ids such as VIDEO[0]"
            )


def _left_out(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield findings on parts of the source that training does not use."""
    if videos := report["unlisted"]:
        yield (
            f"{_many(videos, 'video')} with labels, but in no split: {_some(videos)} (write "
            f"{EXAMPLE} into {NAME} beside the .csd files to split them yourself)"
        )
    if media := report["media"]:
        yield media_message([Path(file) for file in media])
    columns = {name: None for found in report["splits"].values() for name in found["metadata"]}
    if columns:
        yield (
            f"{_many(columns, 'column')} kept as metadata, not used in training: "
            f"{_some(list(columns))}"
        )


def _features(report: Mapping[str, Any]) -> Iterator[str]:
    for modality in report["modalities"]:
        said: dict[str, list[str]] = {}
        for split, found in report["splits"].items():
            missing, segments = found["missing"][modality], found["segments"]
            if missing == segments > 0:
                said.setdefault(f"no {modality} frames at all", []).append(split)
            elif missing:
                text = f"{missing} of {segments} segments have no {modality} frames"
                said.setdefault(text, []).append(split)
            for frames in found["frames"][modality]:
                for text in _of_columns(modality, frames):
                    said.setdefault(text, []).append(split)
        for text, splits in said.items():
            yield f"{', '.join(splits)}: {text}"


def _of_columns(modality: str, frames: Mapping[str, Any]) -> Iterator[str]:
    for kind, name in (("zero", "only zeros in"), ("constant", "a constant value in")):
        if columns := frames[f"{kind}_columns"]:
            yield f"{name} {_many(columns, f'{modality} column')}: {_some(columns)}"
    for group in frames["equal_columns"]:
        yield f"{modality} columns {' and '.join(map(str, group))} are identical"
    if frames["judged_segments"] and frames["centred_segments"] == frames["judged_segments"]:
        yield (
            f"every {modality} column has mean zero in every segment: the features are normalised "
            "by segment, so a segment's mean carries no information"
        )
    spread = [each for each in frames["columns"]["std"] if each]
    if spread and max(spread) > _FAR_APART * min(spread):
        yield (
            f"{modality} columns have standard deviations from {min(spread):.2g} to "
            f"{max(spread):.2g}; dataset_config.DATASET.normalise=corpus scales them"
        )


def _many(things: Sequence[Any] | Mapping[Any, Any], noun: str) -> str:
    return f"{len(things)} {noun}{'s' * (len(things) != 1)}"


def _some(things: Sequence[Any]) -> str:
    shown = ", ".join(map(str, things[:_SHOWN]))
    return f"{shown}, ..." if len(things) > _SHOWN else shown
