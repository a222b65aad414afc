"""The voice by librosa (ISC licence): cepstrum, pitch, loudness and shape of the spectrum."""

import numpy as np

from mmf_cmsbert.media.extractor import Voice, library
from mmf_cmsbert.media.registry import register_extractor
from mmf_cmsbert.media.signals import Frames, Sound, finite_frames

_HOP, _WINDOW, _BANDS, _CEPSTRUM = 160, 512, 40, 20  # samples at 16 kHz
_PITCH_WINDOW = 1024
# A long sound is computed in parts, each with its surroundings, which bounds the memory.
_PART, _AROUND = 3000, 100  # frames


@register_extractor("librosa")
class LibrosaVoice(Voice):
    """100 frames per second of 32 ms."""

    packages = ("librosa", "numpy")
    licence = "librosa: ISC licence, free for any use."
    rate = 100.0
    columns = (
        *(f"mfcc_{i}" for i in range(_CEPSTRUM)),
        "loudness_db",
        "pitch_semitones",
        "voicing",
        "centroid_khz",
        "bandwidth_khz",
        "rolloff_khz",
        "flatness_db",
        "zero_crossings",
    )

    def __init__(self) -> None:
        self._librosa = library("librosa", "librosa", "--voice librosa")

    def frames(self, sound: Sound) -> Frames:
        count = len(sound.samples) // _HOP
        values = np.empty((count, len(self.columns)), np.float32)
        for first in range(0, count, _PART):
            last = min(first + _PART, count)
            start, end = max(0, first - _AROUND), min(count, last + _AROUND)
            part = self._part(sound.samples[start * _HOP : end * _HOP], sound.rate)
            values[first:last] = part[first - start : last - start]
        return finite_frames(values, (np.arange(count) + 0.5) / self.rate, self.columns)

    def _part(self, samples: np.ndarray, rate: int) -> np.ndarray:
        count = len(samples) // _HOP
        centred = np.pad(samples, _WINDOW // 2)
        windows = np.lib.stride_tricks.sliding_window_view(centred, _WINDOW)[::_HOP][:count]
        # Not librosa.stft, which compiles code for half a minute when it is first used.
        shape = np.fft.rfft(windows * np.hanning(_WINDOW + 1)[:-1].astype(np.float32), axis=1)
        spectrum = np.abs(shape).T
        feature, power = self._librosa.feature, spectrum**2
        mel = feature.melspectrogram(S=power, sr=rate, n_mels=_BANDS)
        # Without top_db, which would make a frame depend on the loudest one.
        decibels = self._librosa.power_to_db(mel, top_db=None)
        pitch, voicing = self._pitch(samples, rate, count)
        rows = [
            *feature.mfcc(S=decibels, n_mfcc=_CEPSTRUM),
            10 * np.log10(power.mean(0) / _WINDOW + 1e-10),
            pitch,
            voicing,
            feature.spectral_centroid(S=spectrum, sr=rate)[0] / 1000,
            feature.spectral_bandwidth(S=spectrum, sr=rate)[0] / 1000,
            feature.spectral_rolloff(S=spectrum, sr=rate)[0] / 1000,
            10 * np.log10(feature.spectral_flatness(S=spectrum)[0]),
            feature.zero_crossing_rate(
                centred, frame_length=_WINDOW, hop_length=_HOP, center=False
            )[0][:count],
        ]
        return np.stack([row[:count] for row in rows], axis=1).astype(np.float32)

    def _pitch(self, samples: np.ndarray, rate: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Pitch in semitones above 27.5 Hz, 0 where unvoiced, and the strength of the voicing."""
        padded = np.pad(samples, _PITCH_WINDOW // 2)
        windows = np.lib.stride_tricks.sliding_window_view(padded, _PITCH_WINDOW)[::_HOP][:count]
        windows = windows * np.hanning(_PITCH_WINDOW).astype(np.float32)
        shape = np.fft.rfft(windows, 2 * _PITCH_WINDOW, axis=1)
        correlation = np.fft.irfft(np.abs(shape) ** 2, axis=1)
        window = np.fft.rfft(np.hanning(_PITCH_WINDOW), 2 * _PITCH_WINDOW)
        expected = np.fft.irfft(np.abs(window) ** 2)
        shortest, longest = rate // 500, rate // 60
        energy = correlation[:, :1] + 1e-6
        # The autocorrelation of the window is divided out (Boersma, 1993).
        strength = (
            correlation[:, shortest:longest] / energy / (expected[shortest:longest] / expected[0])
        )
        # Of equally strong periods the shortest one.
        strength -= 0.02 * np.log2(np.arange(shortest, longest) / shortest)
        best = strength.argmax(axis=1)
        voicing = np.clip(strength[np.arange(len(best)), best], 0, 1)
        semitones = 12 * np.log2(rate / (best + shortest) / 27.5)
        return np.where(voicing > 0.45, semitones, 0.0), voicing
