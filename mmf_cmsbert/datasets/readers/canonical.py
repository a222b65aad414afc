"""The published train, validation and test videos of CMU-MOSI and CMU-MOSEI."""

import json
from functools import cache
from pathlib import Path

# Video ids as published by CMU-MultimodalSDK; no content of the corpora.
_FOLDER = Path(__file__).with_name("splits")
# The corpora with a list.
CORPORA = ("mosi", "mosei")
_KEYS = {"train": "train", "val": "valid", "test": "test"}


# Dataset -> the corpus that its videos are from.
_OTHERS = {"mosei_emotions": "mosei"}


def has_canonical_videos(corpus: str) -> bool:
    """Return whether the videos of a corpus have a published split."""
    return _file(corpus).is_file()


@cache
def canonical_videos(corpus: str, split: str) -> tuple[str, ...]:
    """Return the ids of the videos of a split.

    Args:
        corpus: ``mosi`` or ``mosei``, or a dataset of the videos of one of them.
        split: ``train``, ``val`` or ``test``.
    """
    if not has_canonical_videos(corpus):
        return ()
    videos = json.loads(_file(corpus).read_text(encoding="utf-8"))
    return tuple(videos[_KEYS[split]])


def _file(corpus: str) -> Path:
    return _FOLDER / f"{_OTHERS.get(corpus, corpus)}.json"
