"""Score one clip, with and without each modality."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media.clip import Extractors
from mmf_cmsbert.media.feature_folder import FeatureFolder
from mmf_cmsbert.media.jobs import Clip, Settings, extract_all
from mmf_cmsbert.report import clips

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import SentimentPredictor

_NAME = "clip"


@dataclass(frozen=True)
class SegmentScores:
    """The scores of a segment.

    Attributes:
        text: its words.
        score: with all modalities.
        without: modality -> score without it, for those that the segment has.
    """

    text: str
    score: float
    without: dict[str, float]


@dataclass(frozen=True)
class ClipScores:
    """The scores of a clip, its timeline, and notes on what it lacks."""

    segments: list[SegmentScores]
    timelines: clips.Timelines
    notes: list[str]


def score(
    predictor: SentimentPredictor,
    settings: Settings,
    extractors: Extractors,
    file: Path,
    model: str,
    keep: Path | None = None,
) -> ClipScores:
    """Extract and score a clip; nothing of it is left.

    Args:
        predictor: the model.
        settings: how to extract, see :func:`mmf_cmsbert.commands.predict_media.features_for`.
        extractors: those of ``settings``.
        file: the clip.
        model: the model's folder or name.
        keep: a folder to which the clip and its features are copied, or None.

    Raises:
        DataError: the clip cannot be used.
    """
    with tempfile.TemporaryDirectory(prefix="cmsbert_live_") as scratch:
        features = FeatureFolder(Path(scratch) / "features")
        features.begin(extractors.card(settings.picture_rate), [_NAME])
        (outcome,) = extract_all([Clip(_NAME, file)], features, settings, extractors)
        if outcome.error:
            raise DataError(outcome.error.replace(str(file), "The clip"))
        features.finish([_NAME])
        read = read_files([features.folder], "test")
        segments = [each for each in read if isinstance(each, Segment)]
        found = ClipScores(
            [_scores(predictor, each) for each in segments],
            clips.collect(predictor, features.folder, model, 8),
            list(outcome.notes),
        )
        if keep is not None:
            place = Path(tempfile.mkdtemp(prefix="clip_", dir=keep))
            shutil.copytree(features.folder, place, dirs_exist_ok=True)
            shutil.copy(file, place / f"{_NAME}{file.suffix}")
    return found


def _scores(predictor: SentimentPredictor, segment: Segment) -> SegmentScores:
    lacking = {
        name: replace(segment, frames={m: f for m, f in segment.frames.items() if m != name})
        for name in segment.frames
    }
    whole, *parts = (each.score for each in predictor([segment, *lacking.values()]))
    without = {m: part for m, part in zip(lacking, parts, strict=True) if part is not None}
    if whole is None:
        raise DataError("The model predicts classes or labels; this page shows numbers")
    return SegmentScores(" ".join(segment.words), whole, without)
