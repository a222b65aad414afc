"""An extractor of each kind without a library, and clips whose sound and pictures are made up."""

from pathlib import Path

import numpy as np
import pytest

from mmf_cmsbert.media import clip as clips
from mmf_cmsbert.media.clip import Extractors
from mmf_cmsbert.media.extractor import Face, Recogniser, SeenFace, Voice
from mmf_cmsbert.media.signals import Sound, Word, finite_frames

TEXT = "I like it. It is not bad."


class Spoken(Recogniser):
    """A word every half second."""

    name = "spoken"

    def words(self, sound):
        return [Word(w, 0.5 * i, 0.5 * i + 0.4) for i, w in enumerate(TEXT.split())]


class Level(Voice):
    name, rate, columns = "level", 10.0, ("level",)

    def frames(self, sound):
        parts = np.abs(sound.samples).reshape(-1, 1600).max(1)
        return finite_frames(parts[:, None], (np.arange(len(parts)) + 0.5) / 10, self.columns)


class Bright(Face):
    """A face in each picture that is not black."""

    name, columns = "bright", ("brightness",)

    def faces(self, picture):
        light = picture.max()
        return [SeenFace((0, 0, 1, 1), np.array([light], np.float32), 0.0)] if light else []


@pytest.fixture
def extractors():
    return Extractors(Spoken(), Level(), Bright())


@pytest.fixture
def made_up(monkeypatch):
    """Replaces decoding: 4 s of noise, and of pictures, of which the first ten are black."""

    def sound_of(file: Path, name, limits):
        return Sound(np.random.default_rng(0).uniform(-1, 1, 64_000).astype(np.float32))

    def pictures_of(file, name, rate, limits):
        for i in range(40):
            yield i / 10, np.full((4, 4, 3), 0 if i < 10 else i, np.uint8)

    monkeypatch.setattr(clips, "sound_of", sound_of)
    monkeypatch.setattr(clips, "pictures_of", pictures_of)
