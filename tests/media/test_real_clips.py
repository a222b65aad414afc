"""Real speech and a real face, where the extra [media] and the clips are.

Slow: the libraries compile code when they are first used.
"""

import os
from pathlib import Path

import numpy as np
import pytest
from media_files import sine

from mmf_cmsbert.media import registry
from mmf_cmsbert.media.decoding import pictures_of, sound_of
from mmf_cmsbert.media.face_tracks import FaceTracks
from mmf_cmsbert.media.voice import frames_of


@pytest.fixture(scope="module")
def media(shared):
    pytest.importorskip("av", reason="decodes media with PyAV, of the extra [media]")
    if not (shared / "media").is_dir():
        pytest.skip("reads real clips, which are not there")
    return shared / "media"


@pytest.mark.slow
@pytest.mark.parametrize("name, width, rate", [("librosa", 28, 100), ("opensmile", 25, 100)])
def test_frames_of_the_voice_are_the_same_to_the_last_bit(media, name, width, rate):
    pytest.importorskip(name, reason=f"extracts with {name}")
    sound = sound_of(media / "jfk.flac", "jfk")
    one, two = (frames_of(sound.samples, sound.rate, name) for _ in range(2))
    assert np.array_equal(one.values, two.values)
    assert one.values.shape[1] == len(one.columns) == width
    assert np.allclose(np.diff(one.times), 1 / rate)
    assert 10.9 < one.times[-1] < 11.0


@pytest.mark.slow
def test_the_pitch_of_a_tone_is_found_at_any_rate():
    pytest.importorskip("librosa", reason="extracts with librosa")
    pytest.importorskip("av", reason="resamples with PyAV")
    found = frames_of(sine(1, hertz=220, rate=44_100), 44_100)
    pitch = found.values[20:80, found.columns.index("pitch_semitones")]
    assert np.allclose(pitch, 36, atol=0.5)  # three octaves above 27.5 Hz
    silence = frames_of(np.zeros(16_000), 16_000)
    assert not silence.values[:, found.columns.index("pitch_semitones")].any()
    assert len(frames_of(np.zeros(10), 16_000).times) == 0


@pytest.mark.slow
def test_words_of_real_speech_have_their_times(media, monkeypatch):
    pytest.importorskip("faster_whisper", reason="recognises with faster-whisper")
    model = os.environ.get("CMSBERT_TEST_WHISPER", "")
    if not Path(model).is_dir() or not model:
        pytest.skip("CMSBERT_TEST_WHISPER names no folder of a faster-whisper model")
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    words = registry.create("recogniser", model).words(sound_of(media / "jfk.flac", "jfk"))
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"  # read when onnxruntime is loaded
    assert len(words) == 22
    assert " ".join(w.text for w in words[-5:]) == "can do for your country."
    assert all(0 <= w.start < w.end <= 11 for w in words)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dlib", "mediapipe"])
def test_a_face_is_found_in_every_picture_that_shows_it(media, name):
    pytest.importorskip(name, reason=f"extracts with {name}")
    face = registry.create("face", name)
    found = {}
    for clip in ("single_face", "no_face"):
        found[clip] = FaceTracks(face.columns)
        for time, picture in pictures_of(media / f"{clip}.mp4", clip, 30):
            found[clip].add(time, face.faces(picture))
    assert found["single_face"].present == [True] * 72
    assert found["single_face"].speaker(0, 3).values.shape == (72, len(face.columns))
    assert not any(found["no_face"].present) and found["no_face"].speaker(0, 9) is None
