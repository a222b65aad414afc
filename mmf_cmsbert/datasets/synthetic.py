"""A synthetic corpus in the MISA layout, generated from a seed. It is not CMU-MOSI or CMU-MOSEI.

The sentiment of a segment is the sum of three independent parts of equal variance: an opinion
word, a visual pattern and an acoustic pattern, each on a few frames away from the opinion word.
Text alone explains a third of the variance. Every column is centred within its segment, as in the
real files: its mean carries no information, only the patterns in time do.
"""

import hashlib
import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator

from mmf_cmsbert.datasets.segment import FACE_VOICE, SPLITS
from mmf_cmsbert.datasets.synthetic_text import vocabulary, write_sentence
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_json, replace_text, replaced_file, sha256_of

VERSION = 1
# Sentiment of a pattern -> the columns that rise with it, none for 0.
_COLUMNS = {-1.2: (2, 3, 4), -0.6: (7, 8, 9), 0.6: (12, 13, 14), 1.2: (17, 18, 19)}
_NARROWEST = 20
# Bytes of the note beside a file.
_LARGEST = 1 << 16
_RISE, _FRAME_NOISE, _LABEL_NOISE = 3.0, 0.5, 0.1


def write_split(
    path: Path, split: str, settings: Mapping[str, int], widths: Mapping[str, int | None]
) -> bool:
    """Write one split of the corpus to ``path``, unless it exists.

    A note beside the file records its settings. A file without a note, or changed since, may be a
    user's data and is kept.

    Args:
        path: the pickle to write.
        split: ``train``, ``val`` or ``test``.
        settings: ``seed``, and the segments of each split.
        widths: modality -> columns; 0 or None for a corpus without that modality.

    Returns:
        Whether it was written.

    Raises:
        ConfigError: a width is too small for the patterns.
        DataError: ``path`` is another file.
    """
    for modality in FACE_VOICE:
        if 0 < (widths.get(modality) or 0) < _NARROWEST:
            raise ConfigError(
                f"features.{modality} is {widths[modality]} columns; the synthetic corpus needs at "
                f"least {_NARROWEST}, or null to leave the modality out"
            )
    made_from = {
        "synthetic": True,
        "version": VERSION,
        "split": split,
        "seed": settings["seed"],
        "segments": settings[split],
        "widths": {modality: widths.get(modality) or 0 for modality in FACE_VOICE},
    }
    note = _note_path(path)
    if path.exists():
        if not is_synthetic(path):
            raise DataError(
                f"{path} exists and is not part of a synthetic corpus, so it is not replaced. Set "
                "another folder for the synthetic corpus: data_dir of the dataset"
            )
        if made_from.items() <= read_json(note, _LARGEST).items():
            return False
        path.unlink()
    content = pickle.dumps(make_split(split, settings, widths), protocol=4)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The note first: a run that ends between the two leaves nothing that looks like a user's data.
    replace_text(note, json.dumps(made_from | {"sha256": _sha256(content)}, indent=1))
    with replaced_file(path) as unfinished:
        unfinished.write_bytes(content)
    return True


def is_synthetic(path: Path) -> bool:
    """Return whether the file was written by this generator and has not changed since."""
    try:
        note = read_json(_note_path(path), _LARGEST)
        return note["sha256"] == sha256_of(path)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def make_split(
    split: str, settings: Mapping[str, int], widths: Mapping[str, int | None]
) -> list[tuple[Any, ...]]:
    """Generate one split in the MISA layout; it does not depend on the sizes of other splits."""
    rng = np.random.default_rng([settings["seed"], SPLITS.index(split)])
    ids = {word: i for i, word in enumerate(vocabulary())}
    entries: list[tuple[Any, ...]] = []
    video, left, clip = 0, 0, 0
    for _ in range(settings[split]):
        if not left:
            video, left, clip = video + 1, int(rng.integers(3, 10)), 0
        words, opinion_at, sentiment = write_sentence(rng)
        frames = {}
        for modality in FACE_VOICE:
            width = widths.get(modality) or 0
            frames[modality], value = _frames(len(words), opinion_at, width, rng)
            sentiment += value
        label = np.clip(sentiment + rng.normal(0, _LABEL_NOISE), -3, 3)
        entries.append(
            (
                (np.array([ids[word] for word in words]), *frames.values(), words),
                np.array([[round(label * 5) / 5]], np.float32),
                f"synthetic-{split}-{video:03d}[{clip}]",
            )
        )
        left, clip = left - 1, clip + 1
    return entries


def _frames(count: int, opinion_at: int, width: int, rng: Generator) -> tuple[np.ndarray, float]:
    """Return frames ``(count, width)`` and the sentiment of their pattern.

    The pattern is a rise of a few neighbouring columns on two neighbouring frames (three in longer
    sentences), never at the opinion word.
    """
    if not width:
        return np.zeros((count, 0), np.float32), 0.0
    frames = rng.normal(0, _FRAME_NOISE, (count, width))
    value = float(rng.choice([*_COLUMNS, 0.0]))
    length = 3 if count > 12 else 2
    starts = [s for s in range(count - length + 1) if not s <= opinion_at < s + length]
    start = int(rng.choice(starts))
    for column in _COLUMNS.get(value, ()):
        frames[start : start + length, column] += _RISE
    return (frames - frames.mean(0)).astype(np.float32), value


def _note_path(path: Path) -> Path:
    return path.with_name(path.name + ".synthetic.json")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
