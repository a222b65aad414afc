"""A synthetic corpus of CMU-MOSEI's size, in MMSA's layout, with random content."""

import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.synthetic_text import vocabulary

# Segments of MOSEI's canonical split, under MMSA's names.
SPLITS = {"train": 16_326, "valid": 1_871, "test": 4_659}
FRAMES = 50
# MMSA's name -> columns: FACET 4.2 and COVAREP; `text` holds BERT's last states.
WIDTHS = {"vision": 35, "audio": 74}
TEXT_WIDTH = 768
SEGMENTS_A_VIDEO = 7
# Words per segment: log-normal, about as long as spoken opinions, 19 on average.
_MEDIAN_WORDS, _SPREAD, _MOST_WORDS = 16, 0.6, 150
_BLOCK = 256


def counts(segments: int) -> dict[str, int]:
    """Divide ``segments`` in the proportions of MOSEI's splits, at least one each."""
    whole = sum(SPLITS.values())
    return {split: max(1, round(segments * count / whole)) for split, count in SPLITS.items()}


def write(path: Path, segments: int = sum(SPLITS.values()), text: bool = False, seed: int = 1):
    """Write the corpus as one pickle, using little memory.

    Every segment has 50 frames, the maximum in this layout.

    Args:
        path: the file, which appears when it is complete.
        segments: number of segments in all splits.
        text: whether to add ``text (segments, 50, 768)`` as in the published files. It makes them
            seven times as large; cmsbert does not read it.
        seed: the same seed gives the same corpus.
    """
    rng = np.random.default_rng(seed)
    widths = WIDTHS | ({"text": TEXT_WIDTH} if text else {})
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".synthetic-") as scratch:
        content = {
            split: _split(rng, split, count, widths, Path(scratch))
            for split, count in counts(segments).items()
        }
        unfinished = Path(scratch) / path.name
        with open(unfinished, "wb") as file:
            # From protocol 5 on, arrays are written without a copy.
            pickle.dump(content, file, protocol=5)
        os.replace(unfinished, path)


def _split(rng, name: str, count: int, widths: dict[str, int], scratch: Path) -> dict[str, Any]:
    labels = np.clip(rng.normal(0.2, 1.1, count), -3, 3).round(2).astype(np.float32)
    frames = {
        key: _frames(rng, (count, FRAMES, width), scratch / f"{name}-{key}")
        for key, width in widths.items()
    }
    return frames | {
        "raw_text": list(_sentences(rng, count)),
        "id": [
            f"synthetic_{name}_{i // SEGMENTS_A_VIDEO:05}$_${i % SEGMENTS_A_VIDEO}"
            for i in range(count)
        ],
        "vision_lengths": [FRAMES] * count,
        "audio_lengths": [FRAMES] * count,
        "regression_labels": labels,
        "classification_labels": np.sign(labels) + 1,
        "annotations": np.array(["Negative", "Neutral", "Positive"])[
            np.sign(labels).astype(int) + 1
        ].tolist(),
    }


def _frames(rng, shape: tuple[int, int, int], file: Path) -> np.ndarray:
    """Return random float32 frames, kept in a file instead of memory."""
    mapped = np.memmap(file, np.float32, "w+", shape=shape)
    for start in range(0, len(mapped), _BLOCK):
        block = mapped[start : start + _BLOCK]
        block[:] = rng.standard_normal(block.shape, np.float32)
    return mapped.view(np.ndarray)


def _sentences(rng, count: int) -> Iterator[str]:
    words = np.array(vocabulary())
    lengths = rng.lognormal(np.log(_MEDIAN_WORDS), _SPREAD, count).round().astype(int)
    for length in np.clip(lengths, 1, _MOST_WORDS):
        yield " ".join(words[rng.integers(len(words), size=length)])
