"""The published train, validation and test videos of CMU-MOSI and CMU-MOSEI."""

import json
from functools import cache
from pathlib import Path

# Video ids as published by CMU-MultimodalSDK; no content of the corpora.
_FOLDER = Path(__file__).with_name("splits")
_KEYS = {"train": "train", "val": "valid", "test": "test"}


@cache
def canonical_videos(corpus: str, split: str) -> tuple[str, ...]:
    """Return the ids of the videos of a split.

    Args:
        corpus: ``mosi`` or ``mosei``.
        split: ``train``, ``val`` or ``test``.
    """
    videos = json.loads((_FOLDER / f"{corpus}.json").read_text(encoding="utf-8"))
    return tuple(videos[_KEYS[split]])
