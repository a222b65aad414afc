"""One clip: from its file to segments with words, frames and a timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media import registry
from mmf_cmsbert.media.clip_words import ClipWords
from mmf_cmsbert.media.container import DEFAULT_LIMITS, Limits
from mmf_cmsbert.media.cutting import Cut, Span, span_of_times, spans
from mmf_cmsbert.media.decoding import has_pictures, pictures_of, sound_of
from mmf_cmsbert.media.extractor import Face, Recogniser, Voice
from mmf_cmsbert.media.face_tracks import FaceTracks
from mmf_cmsbert.media.loudness import is_loud, loudness
from mmf_cmsbert.media.signals import Frames
from mmf_cmsbert.media.transcript import Transcript

_TIMELINE = 10  # loudness values per second


@dataclass(frozen=True)
class Wanted:
    """A segment whose times or labels the user gives.

    Attributes:
        fields: further fields of its row, such as ``id``, ``label`` and ``split``.
        start: seconds into the clip; None for the whole clip.
        end: seconds into the clip; None for the whole clip.
        transcript: its words, or None.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    start: float | None = None
    end: float | None = None
    transcript: Transcript | None = None


@dataclass(frozen=True, eq=False)
class ClipSegment:
    """A segment of a clip.

    Attributes:
        span: words, start and end.
        fields: further fields of its row.
        acoustic: float32 ``(frames, width)``, or None.
        visual: float32 ``(frames, width)``, or None: without pictures or without a face.
    """

    span: Span
    fields: Mapping[str, Any]
    acoustic: np.ndarray | None
    visual: np.ndarray | None


@dataclass(frozen=True)
class Timeline:
    """A clip over time, for its report.

    Attributes:
        seconds: its length.
        loudness: dB, ten values per second.
        face_times: the time of each picture, in seconds.
        face_present: of each picture, whether it shows a face.
    """

    seconds: float
    loudness: list[float]
    face_times: list[float]
    face_present: list[bool]


@dataclass(frozen=True)
class Extractors:
    """The extractors of a command, each None where it is not wanted."""

    recogniser: Recogniser | None = None
    voice: Voice | None = None
    face: Face | None = None

    @classmethod
    def create(
        cls, recogniser: str, voice: str, face: str, face_model: str | None = None
    ) -> "Extractors":
        """Create them as a user names them, see :func:`.registry.create`."""
        if voice == "whisper_states" and (model := _model_of(recogniser)):
            voice = f"{voice}:{model}"
        return cls(
            cast("Recogniser | None", registry.create("recogniser", recogniser)),
            cast("Voice | None", registry.create("voice", voice)),
            cast("Face | None", registry.create("face", face, face_model)),
        )

    def card(self, picture_rate: float) -> dict[str, Any]:
        """Return the card of their features, see :mod:`.card`."""
        face = self.face.card() | {"rate": picture_rate} if self.face else None
        return {
            "recogniser": self.recogniser.card() if self.recogniser else None,
            "acoustic": self.voice.card() if self.voice else None,
            "visual": face,
        }


def _model_of(recogniser: str) -> str:
    name, _, model = recogniser.partition(":")
    return model if name in registry.names("recogniser") else recogniser


def extract(
    file: Path,
    name: str,
    extractors: Extractors,
    cut: Cut = "sentence",
    wanted: Sequence[Wanted] = (),
    transcript: Transcript | None = None,
    picture_rate: float = 30.0,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[list[ClipSegment], Timeline, list[str]]:
    """Extract the segments of a clip.

    Args:
        file: the clip.
        name: its name, for messages.
        extractors: what to extract.
        cut: how to cut it into segments, without ``wanted``.
        wanted: the segments to make instead.
        transcript: the words of the whole clip, or None.
        picture_rate: the largest number of pictures per second in which faces are searched.
        limits: what is decoded at most.

    Returns:
        Segments, timeline, and notes for the user.

    Raises:
        DataError: it cannot be decoded, or has no words.
    """
    notes: list[str] = []
    sound = sound_of(file, name, limits)
    tracks, seconds = _faces(file, name, extractors.face, picture_rate, limits, notes)
    if sound is None:
        notes.append("has no sound: its segments have no acoustic frames")
        if not has_pictures(file, name, limits):
            raise DataError(f"{name}: has neither sound nor moving pictures")
    seconds = max(seconds, sound.seconds if sound else 0.0)
    levels = loudness(sound) if sound else np.zeros(0, np.float32)
    loud = is_loud(levels)
    words = ClipWords(name, sound, extractors.recogniser, loud, seconds)
    segments = _segments(words, cut, wanted, transcript, seconds)
    voice = extractors.voice.frames(sound) if extractors.voice and sound else None
    found = [
        ClipSegment(
            span,
            fields,
            _between(voice, span),
            _between(tracks.speaker(span.start, span.end) if tracks else None, span),
        )
        for span, fields in segments
    ]
    if extractors.face and tracks and not any(tracks.present):
        notes.append("shows no face: its segments have no visual frames")
    shown = tracks or FaceTracks(())
    parts = levels[: len(levels) // 10 * 10].reshape(-1, 10).max(axis=1)
    timeline = Timeline(
        round(seconds, 3),
        [round(float(level), 1) for level in parts],
        [round(time, 3) for time in shown.times],
        shown.present,
    )
    return found, timeline, notes


def _faces(
    file: Path,
    name: str,
    face: Face | None,
    rate: float,
    limits: Limits,
    notes: list[str],
) -> tuple[FaceTracks | None, float]:
    """The faces of a clip and the length of its pictures; None without pictures."""
    if face is None:
        return None, 0.0
    tracks = FaceTracks(face.columns)
    for time, picture in pictures_of(file, name, rate, limits):
        tracks.add(time, face.faces(picture))
    if not tracks.times:
        notes.append("has no moving pictures: its segments have no visual frames")
        return None, 0.0
    return tracks, tracks.times[-1] + 1 / rate


def _segments(
    words: ClipWords,
    cut: Cut,
    wanted: Sequence[Wanted],
    transcript: Transcript | None,
    seconds: float,
) -> list[tuple[Span, Mapping[str, Any]]]:
    if not wanted:
        return [(span, {}) for span in spans(words.of(transcript), cut, seconds)]
    found: list[tuple[Span, Mapping[str, Any]]] = []
    for each in wanted:
        if each.start is None or each.end is None:
            own = words.of(each.transcript or transcript)
            span = Span(tuple(own), 0.0, seconds)
        else:
            end = min(each.end, seconds)
            if each.start >= end:
                raise DataError(
                    f"{words.name}: a segment from {each.start:g} to {each.end:g} s, but the clip "
                    f"ends at {seconds:.1f} s"
                )
            own = (
                words.within(each.transcript, each.start, end)
                if each.transcript
                else words.of(transcript)
            )
            span = span_of_times(own, each.start, end)
        if not span.words:
            raise DataError(
                f"{words.name}: no word is spoken from {span.start:g} to {span.end:g} s; give the "
                "segment's text in the column text, or other times"
            )
        found.append((span, each.fields))
    return found


def _between(frames: Frames | None, span: Span) -> np.ndarray | None:
    found = None if frames is None else frames.between(span.start, span.end)
    return found if found is not None and len(found) else None
