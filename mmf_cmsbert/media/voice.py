"""Frames of the voice from decoded sound."""

from typing import cast

import numpy as np

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.media import registry
from mmf_cmsbert.media.decoding import resampled
from mmf_cmsbert.media.extractor import Voice
from mmf_cmsbert.media.signals import Frames


def voice_named(name: str) -> Voice:
    """Return the extractor of the voice registered under ``name``, ``NAME`` or ``NAME:MODEL``.

    Raises:
        ConfigError: there is none, or its library is not installed.
    """
    found = registry.create("voice", name)
    if found is None:
        raise DataError(f"the extractor of the voice is {name}; expected a name")
    return cast(Voice, found)


def frames_of(samples: np.ndarray, rate: int, extractor: str | Voice = "librosa") -> Frames:
    """Extract frames of the voice from decoded sound.

    Args:
        samples: ``(samples,)`` or ``(samples, channels)``, within [-1, 1].
        rate: samples per second.
        extractor: a registered name, or an extractor.

    Returns:
        Frames with times in seconds; none if the sound is too short for one.

    Raises:
        ConfigError: there is no such extractor, or its library is not installed.
    """
    voice = voice_named(extractor) if isinstance(extractor, str) else extractor
    return voice.frames(resampled(samples, rate))
