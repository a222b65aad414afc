"""Decode media files with PyAV: one file, no playlists, no network, limited sizes.

A playlist names other files and addresses. Only formats that contain their media are opened, and
only from an already opened file, so that the library has no means to open another one.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular
from mmf_cmsbert.media.extractor import library
from mmf_cmsbert.media.signals import RATE, Sound

# FFmpeg's names. Its other formats include playlists (hls, dash, concat), devices and images.
_FORMATS = "mov,mp4,m4a,matroska,webm,avi,flv,asf,mpeg,mpegts,wav,w64,aiff,caf,flac,ogg,mp3,aac,amr"
# Formats whose length FFmpeg estimates from the bit rate.
_ESTIMATED = {"mp3", "aac", "mpeg", "mpegts", "amr", "flac", "ogg"}
_DURATION = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_UNKNOWN_SIZE = 0xFFFFFF00  # written by programs that stream
_LARGEST_GAP = 0.1  # s, of rounding between the times of sound
_LONGEST_SIDE = 640  # pixels of a picture in which faces are searched
_MOST_DAMAGED = 0.02  # of the packets


@dataclass(frozen=True)
class Limits:
    """What is decoded at most.

    Attributes:
        minutes: length of a clip. Its sound is held in memory, 4 MB a minute.
        pixels: width times height of a picture.
    """

    minutes: float = 30.0
    pixels: int = 4096 * 2304


DEFAULT_LIMITS = Limits()
Source = Path | bytes


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
    av = _av()
    with _opened(source, name, limits) as container:
        stream = next(iter(container.streams.audio), None)
        if stream is None:
            return None
        resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        blocks: list[np.ndarray] = []
        count, most = 0, round(limits.minutes * 60 * RATE)
        for frame in _decoded(container, stream, name):
            # Pauses of the recording have no samples.
            missing = round(_time(frame, container) * RATE) - count
            if missing > _LARGEST_GAP * RATE:
                blocks.append(np.zeros(min(missing, most + 1 - count), np.float32))
                count += len(blocks[-1])
            for part in resampler.resample(frame):
                blocks.append(part.to_ndarray().reshape(-1))
                count += len(blocks[-1])
            if count > most:
                raise _too_long(name, limits)
        blocks += [part.to_ndarray().reshape(-1) for part in resampler.resample(None)]
        samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
        _check_complete(len(samples) / RATE, container, stream, name, "sound")
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
    with _opened(source, name, limits) as container:
        stream = _video(container)
        if stream is None:
            return
        stream.thread_type = "AUTO"
        slot, last = -1, 0.0
        for frame in _decoded(container, stream, name):
            _check_pixels(frame.width, frame.height, name, limits)
            last = _time(frame, container)
            if last > limits.minutes * 60:
                raise _too_long(name, limits)
            if last < 0 or (now := int(last * rate + 0.5)) <= slot:
                continue
            slot = now
            yield last, _upright(frame)
        _check_complete(last, container, stream, name, "pictures")


def has_pictures(source: Source, name: str, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Return whether a clip has moving pictures; a cover picture does not count."""
    with _opened(source, name, limits) as container:
        return _video(container) is not None


def resampled(samples: np.ndarray, rate: int) -> Sound:
    """Convert samples ``(samples,)`` or ``(samples, channels)`` to mono at 16 kHz."""
    samples = np.asarray(samples, np.float32)
    if samples.ndim == 2:
        samples = samples.mean(axis=1)
    if rate == RATE or not len(samples):
        return Sound(np.ascontiguousarray(samples))
    av = _av()
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return Sound(np.concatenate([part.to_ndarray().reshape(-1) for part in parts]))


def _av() -> Any:
    return library("av", "av", "decoding media")


@contextmanager
def _opened(source: Source, name: str, limits: Limits) -> Iterator[Any]:
    av = _av()
    # No protocol has the name "none": whatever a file refers to cannot be opened.
    only_itself = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
    with BytesIO(source) if isinstance(source, bytes) else open_regular(source) as file:
        _check_wave(file, name)
        try:
            container = av.open(file, "r", container_options=only_itself)
        except (av.error.FFmpegError, ValueError, OSError) as error:
            raise DataError(
                f"{name}: not a media file that is read ({_reason(error)}): it is damaged, cut "
                "short, a playlist or of another format. Expected a file with its own sound or "
                "pictures, such as .mp4, .mkv, .webm, .mov, .wav, .mp3 or .flac"
            ) from error
        with container:
            _check_length(container, name, limits)
            yield container


def _check_wave(file: IO[bytes], name: str) -> None:
    """Check the size that a .wav file states, which FFmpeg replaces by that of the file."""
    start, size = file.read(12), file.seek(0, os.SEEK_END)
    file.seek(0)
    stated = int.from_bytes(start[4:8], "little") + 8
    if start[:4] + start[8:] == b"RIFFWAVE" and size + 1 < stated < _UNKNOWN_SIZE:
        raise DataError(
            f"{name}: cut short: {size:,} bytes, but it states {stated:,}. Copy it again from its "
            "source"
        )


def _check_length(container: Any, name: str, limits: Limits) -> None:
    if container.duration and container.duration / 1e6 > limits.minutes * 60 + 1:
        raise _too_long(name, limits, container.duration / 6e7)
    stream = _video(container)
    if stream is not None:
        _check_pixels(stream.codec_context.width, stream.codec_context.height, name, limits)
        # The decoder refuses a later, larger picture before it allocates memory for it.
        stream.codec_context.options = {"max_pixels": str(limits.pixels)}


def _check_pixels(width: int, height: int, name: str, limits: Limits) -> None:
    if width * height > limits.pixels:
        raise DataError(
            f"{name}: pictures of {width} x {height}; expected at most {limits.pixels:,} pixels "
            "(4096 x 2304). Scale it down, as in: ffmpeg -i CLIP -vf scale=1280:-2 SMALLER.mp4"
        )


def _too_long(name: str, limits: Limits, minutes: float | None = None) -> DataError:
    found = "longer" if minutes is None else f"{minutes:.0f} minutes, longer"
    return DataError(
        f"{name}: {found} than {limits.minutes:g} minutes. Cut it, as in: ffmpeg -i CLIP -f "
        "segment -segment_time 900 -c copy PART%03d.mp4; or raise --max-minutes, which takes about "
        "20 MB of memory a minute"
    )


def _video(container: Any) -> Any:
    for stream in container.streams.video:
        if "ATTACHED_PIC" not in str(getattr(stream, "disposition", "")).upper():
            return stream
    return None


def _decoded(container: Any, stream: Any, name: str) -> Iterator[Any]:
    """Yield decoded frames; single damaged packets are left out."""
    av = _av()
    packets = damaged = 0
    try:
        for packet in container.demux(stream):
            packets += 1
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                damaged += 1
                continue
            yield from frames
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise DataError(f"{name}: damaged after {packets} packets ({_reason(error)})") from error
    if damaged > max(1, _MOST_DAMAGED * packets):
        raise DataError(f"{name}: {damaged} of {packets} packets of {stream.type} are damaged")


def _check_complete(seconds: float, container: Any, stream: Any, name: str, what: str) -> None:
    if seconds <= 0 and what == "sound":
        raise DataError(f"{name}: its sound is empty")
    if set(container.format.name.split(",")) & _ESTIMATED:
        return
    stated = _stated_seconds(container, stream)
    if stated - seconds > max(1.0, 0.1 * stated):
        raise DataError(
            f"{name}: cut short: {what} of {seconds:.1f} s, but it states {stated:.1f} s. Copy it "
            "again from its source"
        )


def _stated_seconds(container: Any, stream: Any) -> float:
    """The length that a file states for a stream; 0 if it states none."""
    if stream.duration:
        return float(stream.duration * stream.time_base)
    if len(container.streams) == 1:  # Matroska states the length of the whole
        return (container.duration or 0) / 1e6
    if match := _DURATION.fullmatch(stream.metadata.get("DURATION", "")):
        return int(match[1]) * 3600 + int(match[2]) * 60 + float(match[3])
    return 0.0


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


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
