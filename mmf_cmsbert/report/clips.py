"""Clips over time: words, sentiment and shift by a model, and loudness and faces of the clip.

Written by ``cmsbert predict --media`` beside its predictions, and shown by ``cmsbert report``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from mmf_cmsbert.config.schemas.targets import RegressionTarget
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.segment import Segment, in_order
from mmf_cmsbert.errors import ConfigError, DataError, SegmentError
from mmf_cmsbert.files import read_regular, replace_text
from mmf_cmsbert.media.feature_folder import FeatureFolder

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import Prediction, SentimentPredictor

FORMAT = 1
_LARGEST = 1 << 28


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimedWord(_Kept):
    """A word, its time in seconds, and how far the model shifted it (None: cut off)."""

    text: str
    start: float
    end: float
    shift: float | None


class TimedSegment(_Kept):
    """A segment of a clip, and the modalities that it has.

    ``score`` is its score, None if the model's main target is no number; ``answer`` names its
    classes or labels then.
    """

    id: str
    start: float
    end: float
    score: float | None
    answer: str = ""
    words: list[TimedWord]
    modalities: list[str]


class ClipTimeline(_Kept):
    """A clip over time.

    Attributes:
        name: the clip's name.
        seconds: its length.
        loudness: dB, ten values per second.
        face_times: the time of each picture; empty if no face was searched.
        face_present: of each picture, whether it shows a face.
        segments: its segments, in order.
    """

    name: str
    seconds: float
    loudness: list[float]
    face_times: list[float]
    face_present: list[bool]
    segments: list[TimedSegment]


class Timelines(_Kept):
    """The clips of a command, the version of this form, and the model: its name and limits."""

    format: int = FORMAT
    model: str
    synthetic: bool = False
    low: float = -3.0
    high: float = 3.0
    clips: list[ClipTimeline]


def file_of(predictions: Path) -> Path:
    """Return the file of the timelines that belong to a file of predictions."""
    return predictions.with_name(f"{predictions.name}.timeline.json")


def collect(predictor: SentimentPredictor, folder: Path, model: str, batch: int) -> Timelines:
    """Predict and explain the segments of a folder of features.

    Args:
        predictor: the model.
        folder: written by ``cmsbert features``.
        model: the model's folder or name.
        batch: segments that are computed together.
    """
    found: dict[str, list[TimedSegment]] = {}
    limits: dict[str, Any] = {}
    segments = [s for s in read_files([folder], "test") if isinstance(s, Segment)]
    for segment, prediction in zip(
        segments, predictor.stream(iter(segments), batch, explain=True), strict=True
    ):
        if not isinstance(prediction, SegmentError):
            found.setdefault(segment.video, []).append(_segment(segment, prediction))
            if isinstance(target := prediction.target, RegressionTarget):
                limits = {"low": target.low, "high": target.high}
    features = FeatureFolder(folder)
    return Timelines(
        **limits,
        model=model,
        synthetic=bool(predictor.config.training.get("synthetic")),
        clips=[
            ClipTimeline(name=name, segments=found[name], **record["timeline"])
            for name in features.clips()
            if name in found and (record := features.record(name))
        ],
    )


def write(file: Path, timelines: Timelines) -> None:
    """Write timelines to a file."""
    replace_text(file, timelines.model_dump_json() + "\n")


def read(file: Path) -> Timelines:
    """Read timelines.

    Raises:
        UserError: there are none, or they are damaged or of a newer version.
    """
    try:
        found = Timelines.model_validate_json(read_regular(file, _LARGEST))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file} does not exist; name the folder of a run, or predictions that cmsbert predict "
            "--media wrote"
        ) from error
    except (OSError, ValidationError) as error:
        raise DataError(f"{file}: not a timeline of clips ({str(error)[:150]})") from error
    if found.format > FORMAT:
        raise DataError(f"{file}: format {found.format}; expected at most {FORMAT}")
    return found


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _segment(segment: Segment, prediction: Prediction) -> TimedSegment:
    assert prediction.explanation is not None
    assert prediction.score is not None
    words = prediction.explanation.words
    shifts = [each.shift for each in words] + [None] * (len(segment.words) - len(words))
    timed: Sequence[Any] = segment.metadata.get("word_times", ())
    if len(timed) != len(segment.words):  # a blank word was left out
        timed = [(segment.start, segment.end)] * len(segment.words)
    return TimedSegment(
        id=segment.id,
        start=segment.start or 0.0,
        end=segment.end or 0.0,
        score=prediction.score,
        answer="" if prediction.score is not None else _text(prediction.value),
        words=[
            TimedWord(text=text, start=start, end=end, shift=shift)
            for text, (start, end), shift in zip(segment.words, timed, shifts, strict=True)
        ],
        modalities=in_order(segment.frames),
    )
