"""Frames from columns of sound and of clips (``datasets.Audio``, ``datasets.Video``)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from mmf_cmsbert.errors import ConfigError, DataError, SegmentError
from mmf_cmsbert.files import read_regular
from mmf_cmsbert.media import registry
from mmf_cmsbert.media.decoding import pictures_of, sound_of
from mmf_cmsbert.media.extractor import Extractor, Face, Voice
from mmf_cmsbert.media.face_tracks import FaceTracks
from mmf_cmsbert.media.signals import Frames
from mmf_cmsbert.media.voice import voice_named

_LARGEST = 1 << 28  # bytes of the sound or clip of a segment
_PICTURE_RATE = 30.0  # pictures per second in which faces are searched, as cmsbert features does


@dataclass(frozen=True)
class MediaColumn:
    """Extracts frames of one modality from the cells of a column of sound or clips.

    Attributes:
        dataset: the file or folder of the dataset, below which media files may be named.
        extractor: of the voice, or of the face.
    """

    dataset: Path
    extractor: Extractor

    def frames(self, cell: pa.Scalar, where: str) -> np.ndarray | None:
        """Return the frames ``(frames, width)`` of a cell; None without sound, or without a face.

        Raises:
            SegmentError: the sound or clip cannot be read.
        """
        value = cell.as_py()
        content, path = value.get("bytes"), value.get("path")
        if content is None and path is None:
            return None
        try:
            if content is None:
                content = read_regular(self._file(path, where), _LARGEST)
            found = _frames(content, where, self.extractor)
        except (DataError, OSError) as error:
            message = str(error)
            raise SegmentError(message if where in message else f"{where}: {message}") from error
        return found.values if found is not None and len(found.values) else None

    def _file(self, path: str, where: str) -> Path:
        folder = (self.dataset if self.dataset.is_dir() else self.dataset.parent).resolve()
        file = (folder / path).resolve()
        if not file.is_relative_to(folder):
            raise SegmentError(
                f"{where}: its sound or clip is in {path[:200]}, which is not in the folder of the "
                "dataset; save the dataset with its media: to_parquet(...)"
            )
        return file


def _frames(content: bytes, where: str, extractor: Extractor) -> Frames | None:
    if not isinstance(extractor, Face):
        sound = sound_of(content, where)
        return None if sound is None else cast(Voice, extractor).frames(sound)
    tracks = FaceTracks(extractor.columns)
    for time, picture in pictures_of(content, where, _PICTURE_RATE):
        tracks.add(time, extractor.faces(picture))
    return tracks.speaker(0.0, math.inf)


def columns_of(dataset: Path, named: Mapping[str, str | None]) -> dict[str, MediaColumn]:
    """Return the columns of media: modality -> what reads it.

    Args:
        dataset: the file or folder of the dataset.
        named: modality -> the name of its extractor.

    Raises:
        ConfigError: there is no such extractor, or its library is not installed.
    """
    return {m: MediaColumn(dataset, _extractor(m, name)) for m, name in named.items() if name}


def extractors_of(voice: str | None, face: str | None) -> dict[str, Any]:
    """Return the cards of the extractors by modality, see :mod:`mmf_cmsbert.media.card`."""
    found: dict[str, Any] = {}
    if voice:
        found["acoustic"] = _extractor("acoustic", voice).card()
    if face:
        found["visual"] = _extractor("visual", face).card() | {"rate": _PICTURE_RATE}
    return found


def _extractor(modality: str, name: str) -> Extractor:
    if modality == "acoustic":
        return voice_named(name)
    found = registry.create("face", name)
    if found is None:
        raise ConfigError(f"the extractor of the face is {name}; expected a name")
    return found
