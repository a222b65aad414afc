"""Decode the sound and the pictures of clips."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from mmf_cmsbert.media.container import (
    DEFAULT_LIMITS,
    Limits,
    Source,
    check_complete,
    check_pixels,
    decoded,
    libav,
    opened,
    too_long,
    video_of,
)
from mmf_cmsbert.media.signals import RATE, Sound

_LARGEST_GAP = 0.1  # s, of rounding between the times of sound
_LONGEST_SIDE = 640  # pixels of a picture in which faces are searched


def sound_of(source: Source, name: str, limits: Limits = DEFAULT_LIMITS) -> Sound | None:
    """Decode the sound of a clip to mono at 16 kHz; time 0 is the start of the clip.

    Args:
        source: a file, or its content.
        name: the clip's name, for messages.
        limits: what is decoded at most.

    Returns:
        None if the clip has no sound.

    Raises:
        DataError: it is no media file, a playlist, damaged, or longer than the limit.
    """
    av = libav()
    with opened(source, name, limits) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            return None
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        blocks: list[np.ndarray] = []
        count, most = 0, round(limits.minutes * 60 * RATE)
        for frame in decoded(container, stream, name):
            # Pauses of the recording have no samples.
            missing = round(_time(frame, container) * RATE) - count
            if missing > _LARGEST_GAP * RATE:
                blocks.append(np.zeros(min(missing, most + 1 - count), np.float32))
                count += len(blocks[-1])
            for part in resampler.resample(frame):
                blocks.append(part.to_ndarray().reshape(-1))
                count += len(blocks[-1])
            if count > most:
                raise too_long(name, limits)
        blocks += [part.to_ndarray().reshape(-1) for part in resampler.resample(None)]
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        check_complete(len(samples) / RATE, container, stream, name, "sound")
    return Sound(np.clip(np.nan_to_num(samples), -1, 1).astype(np.float32))


def pictures_of(
    source: Source, name: str, rate: float, limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[float, np.ndarray]]:
    """Decode the pictures of a clip, one at a time, scaled down and upright.

    Args:
        source: a file, or its content.
        name: the clip's name, for messages.
        rate: the largest number of pictures per second; of a faster clip some are left out.
        limits: what is decoded at most.

    Yields:
        The time in seconds from the start of the clip, and uint8 ``(height, width, 3)``, RGB.

    Raises:
        DataError: see :func:`sound_of`; or a picture is larger than the limit.
    """
    with opened(source, name, limits) as container:
        stream = video_of(container)
        if stream is None:
            return
        stream.thread_type = "AUTO"
        slot, last = -1, 0.0
        for frame in decoded(container, stream, name):
            check_pixels(frame.width, frame.height, name, limits)
            last = _time(frame, container)
            if last > limits.minutes * 60:
                raise too_long(name, limits)
            if last < 0 or (now := int(last * rate + 0.5)) <= slot:
                continue
            slot = now
            yield last, _upright(frame)
        check_complete(last, container, stream, name, "pictures")


def has_pictures(source: Source, name: str, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Return whether a clip has moving pictures; a cover picture does not count."""
    with opened(source, name, limits) as container:
        return video_of(container) is not None


def resampled(samples: np.ndarray, rate: int) -> Sound:
    """Convert samples ``(samples,)`` or ``(samples, channels)`` to mono at 16 kHz."""
    samples = np.asarray(samples, np.float32)
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    if rate == RATE or not len(samples):
        return Sound(np.ascontiguousarray(samples))
    av = libav()
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return Sound(np.concatenate([part.to_ndarray().reshape(-1) for part in parts]))


def _time(frame: Any, container: Any) -> float:
    start = (container.start_time or 0) / 1e6
    return float(frame.time or 0.0) - start


def _upright(frame: Any) -> np.ndarray:
    scale = min(1.0, _LONGEST_SIDE / max(frame.width, frame.height))
    width, height = (max(2, round(side * scale)) for side in (frame.width, frame.height))
    picture = frame.reformat(width, height, "rgb24").to_ndarray()
    # Telephones store how the picture is to be turned.
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(picture, turns))
