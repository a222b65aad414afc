"""Small media files for tests, and the real clips beside the repository."""

import io
import wave
from pathlib import Path

import numpy as np
import pytest


def sine(seconds: float = 1.0, hertz: float = 220.0, rate: int = 16_000) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype("f4")


def wav(samples: np.ndarray, rate: int = 16_000) -> bytes:
    """The content of a .wav file, 16 bits a sample."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return content.getvalue()


def video(
    path: Path, seconds: float = 1.0, size: tuple[int, int] = (64, 48), rate: int = 10, times=None
) -> Path:
    """Write an .mp4 or .mkv of grey pictures, at ``times`` (in seconds) if they are given."""
    av = pytest.importorskip("av", reason="makes a video with PyAV")
    from fractions import Fraction

    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        times = times if times is not None else [i / rate for i in range(round(seconds * rate))]
        for i, time in enumerate(times):
            grey = np.full((size[1], size[0], 3), i * 3 % 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
