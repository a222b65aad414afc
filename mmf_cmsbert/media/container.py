"""Open media files with PyAV: one file, no playlists, no network, limited sizes.

A playlist names other files and addresses. Only formats that contain their media are opened, and
only from an already opened file, so that the library has no means to open another one.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular
from mmf_cmsbert.media.extractor import library

# FFmpeg's names. Its other formats include playlists (hls, dash, concat), devices and images.
_FORMATS = "mov,mp4,m4a,matroska,webm,avi,flv,asf,mpeg,mpegts,wav,w64,aiff,caf,flac,ogg,mp3,aac,amr"
# Formats whose length FFmpeg estimates from the bit rate.
_ESTIMATED = {"mp3", "aac", "mpeg", "mpegts", "amr", "flac", "ogg"}
_DURATION = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_UNKNOWN_SIZE = 0xFFFFFF00  # written by programs that stream
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


def libav() -> Any:
    """Return the module ``av``; raises a ConfigError if it is not installed."""
    return library("av", "av", "decoding media")


@contextmanager
def opened(source: Source, name: str, limits: Limits) -> Iterator[Any]:
    """Open a clip, with its size and length checked.

    Raises:
        DataError: it is no media file, a playlist, damaged, or beyond a limit.
    """
    av = libav()
    # There is no protocol "none", so a file cannot open other files or addresses.
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
        raise too_long(name, limits, container.duration / 6e7)
    stream = video_of(container)
    if stream is not None:
        check_pixels(stream.codec_context.width, stream.codec_context.height, name, limits)
        # The decoder refuses a later, larger picture before it allocates memory for it.
        stream.codec_context.options = {"max_pixels": str(limits.pixels)}


def check_pixels(width: int, height: int, name: str, limits: Limits) -> None:
    """Raise a DataError if a picture is larger than the limit."""
    if width * height > limits.pixels:
        raise DataError(
            f"{name}: pictures of {width} x {height}; expected at most {limits.pixels:,} pixels "
            "(4096 x 2304). Scale it down, as in: ffmpeg -i CLIP -vf scale=1280:-2 SMALLER.mp4"
        )


def too_long(name: str, limits: Limits, minutes: float | None = None) -> DataError:
    """Return the error of a clip that is longer than the limit."""
    found = "longer" if minutes is None else f"{minutes:.0f} minutes, longer"
    return DataError(
        f"{name}: {found} than {limits.minutes:g} minutes. Cut it, as in: ffmpeg -i CLIP -f "
        "segment -segment_time 900 -c copy PART%03d.mp4; or raise --max-minutes, which takes about "
        "20 MB of memory a minute"
    )


def video_of(container: Any) -> Any:
    """Return the stream of moving pictures, None without one; a cover picture does not count."""
    for stream in container.streams.video:
        if "ATTACHED_PIC" not in str(getattr(stream, "disposition", "")).upper():
            return stream
    return None


def decoded(container: Any, stream: Any, name: str) -> Iterator[Any]:
    """Yield decoded frames; single damaged packets are left out."""
    av = libav()
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


def check_complete(seconds: float, container: Any, stream: Any, name: str, what: str) -> None:
    """Raise a DataError if a stream was shorter than its file states."""
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


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
