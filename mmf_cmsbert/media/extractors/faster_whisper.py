"""Words by faster-whisper (MIT), and the states of its encoder as frames of the voice."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media.extractor import Recogniser, Voice, library
from mmf_cmsbert.media.registry import register_extractor
from mmf_cmsbert.media.signals import Frames, Sound, Word, finite_frames

_DEFAULT = "base.en"
_LICENCE = "faster-whisper and OpenAI's Whisper models: MIT licence."


@register_extractor("faster_whisper")
class FasterWhisper(Recogniser):
    """Whisper (Radford et al., 2022), computed by CTranslate2.

    Args:
        model: the folder of a converted model, or the name of one that is downloaded from the
            Hugging Face hub once, such as ``base.en`` or ``large-v3``.
    """

    packages = ("faster-whisper", "ctranslate2")
    licence = _LICENCE
    takes_model = "FOLDER or NAME"

    def __init__(self, model: str | Path = _DEFAULT):
        self._model, self.model = _load(model, "--recogniser")

    def words(self, sound: Sound) -> list[Word]:
        segments, _ = self._model.transcribe(
            sound.samples,
            word_timestamps=True,
            vad_filter=True,  # Whisper invents words in silence
            temperature=0.0,  # others draw random numbers
            condition_on_previous_text=False,
        )
        found: list[Word] = []
        for segment in segments:
            for word in segment.words or ():
                text, joined = word.word.strip(), not word.word.startswith(" ")
                if not text:
                    continue
                if joined and found and not any(c.isalnum() for c in text):  # punctuation alone
                    last = found.pop()
                    found.append(Word(last.text + text, last.start, float(word.end)))
                else:
                    found.append(Word(text, float(word.start), float(word.end)))
        return found


@register_extractor("whisper_states")
class WhisperStates(Voice):
    """The states of Whisper's encoder, 50 per second.

    Args:
        model: see :class:`FasterWhisper`.
    """

    packages = ("faster-whisper", "ctranslate2")
    licence = _LICENCE
    takes_model = "FOLDER or NAME"
    rate = 50.0

    def __init__(self, model: str | Path = _DEFAULT):
        # One thread: with several, sums are added in another order.
        self._model, self.model = _load(model, "--voice whisper_states", threads=1)
        width = self._states(np.zeros(16_000, np.float32)).shape[1]
        self.columns = tuple(f"state_{i}" for i in range(width))

    def frames(self, sound: Sound) -> Frames:
        window = self._model.feature_extractor.n_samples  # 30 s
        starts = range(0, len(sound.samples), window)
        parts = [self._states(sound.samples[start : start + window]) for start in starts]
        values = np.concatenate(parts) if parts else np.empty((0, len(self.columns)))
        return finite_frames(values, (np.arange(len(values)) + 0.5) / self.rate, self.columns)

    def _states(self, samples: np.ndarray) -> np.ndarray:
        extractor = self._model.feature_extractor
        count = int(len(samples) / extractor.sampling_rate * self.rate)
        padded = np.pad(samples, (0, extractor.n_samples - len(samples)))
        found = self._model.encode(extractor(padded)[..., : extractor.nb_max_frames])
        states: np.ndarray = np.array(found).reshape(-1, found.shape[-1])
        return states[:count].copy()


def _load(model: str | Path, option: str, threads: int = 0) -> tuple[Any, Path]:
    # onnxruntime, which finds speech for faster-whisper, sends usage data to its makers otherwise.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    whisper = library("faster_whisper", "faster-whisper", option)
    folder = Path(model).expanduser()
    try:
        if not folder.is_dir():
            folder = Path(whisper.download_model(str(model)))
        loaded = whisper.WhisperModel(
            str(folder), device="cpu", compute_type="float32", cpu_threads=threads
        )
    except Exception as error:  # of the hub, the network, or a damaged model
        reason = " ".join(str(error).split())[:200]
        offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
        raise ConfigError(
            f"{option}: {model} is neither the folder of a faster-whisper model (model.bin, "
            "config.json, tokenizer.json) nor one that could be downloaded from the Hugging Face "
            f"hub{offline} ({type(error).__name__}: {reason})"
        ) from error
    return loaded, folder / "model.bin"
