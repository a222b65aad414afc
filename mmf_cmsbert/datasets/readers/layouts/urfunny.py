"""UR-FUNNY as its authors publish it: a folder of pickles by id.

``data_folds.pkl`` lists the ids of train, dev and test; ``humor_label_sdk.pkl`` has 1 for a
punchline and 0 otherwise. ``language_sdk.pkl`` (version 2) has ``punchline_sentence`` and
``context_sentences``. Version 1 has ``word_embedding_indexes_sdk.pkl`` instead, with positions in
``word_list.pkl``. ``covarep_features_sdk.pkl`` and ``openface_features_sdk.pkl`` have
``punchline_features`` ``(words, width)`` and ``context_features``, the same of each sentence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.readers.context import Turn, with_context
from mmf_cmsbert.datasets.readers.fields import frame_array, read_each, segment_of
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.names import known_splits, split_keys
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.target_values import named_values
from mmf_cmsbert.datasets.readers.text import describe, split_text, word_list
from mmf_cmsbert.datasets.readers.unpickler import load_plain
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import DataError, SegmentError

FOLDS, LABELS = "data_folds.pkl", "humor_label_sdk.pkl"
TEXT, POSITIONS, WORDS = "language_sdk.pkl", "word_embedding_indexes_sdk.pkl", "word_list.pkl"
FRAMES = {"visual": "openface_features_sdk.pkl", "acoustic": "covarep_features_sdk.pkl"}


@register_layout("urfunny")
class URFUNNY(Layout):
    """Punchlines, of which class 1 is followed by laughter. The context is the talk before."""

    examples = (f"{FOLDS}, {LABELS} and {TEXT}",)
    rank = 8

    def recognise(self, path: Path) -> bool:
        return path.is_dir() and (path / FOLDS).is_file() and (path / LABELS).is_file()

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return all splits; reading the folder shows which ones it lacks."""
        return SPLITS

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        names = (FOLDS, LABELS, TEXT, POSITIONS, WORDS, *FRAMES.values())
        return [path / name for name in names if (path / name).is_file()]

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        for path in files:
            yield from _segments(path, request)


@dataclass(frozen=True)
class _Corpus:
    labels: Mapping[Any, Any]
    text: Mapping[Any, Any]
    words: Sequence[Any] | None  # of version 1
    frames: Mapping[str, Mapping[Any, Any]]
    folder: Path


def _segments(folder: Path, request: Request) -> Iterator[Segment | SegmentError]:
    if not folder.is_dir():
        raise DataError(f"{folder}: expected the folder with {FOLDS} and {LABELS}")
    folds = _dict(folder / FOLDS)
    keys = split_keys(folds, str(folder / FOLDS))
    ids = folds[keys[request.split]] if request.split in keys else None
    if isinstance(ids, np.ndarray):
        ids = ids.tolist()
    if not isinstance(ids, (list, tuple)):
        raise DataError(
            f"{folder / FOLDS}: no list of the {request.split} split; found "
            f"{', '.join(map(repr, folds))[:200]}. Accepted names: {known_splits()}"
        )
    request.on_count(len(ids))
    second = (folder / TEXT).is_file()
    corpus = _Corpus(
        labels=_dict(folder / LABELS),
        text=_dict(folder / (TEXT if second else POSITIONS)),
        words=None if second else _list(folder / WORDS),
        frames={m: _dict(file) for m, name in FRAMES.items() if (file := folder / name).is_file()},
        folder=folder,
    )
    yield from read_each(_segment, ((corpus, name, request) for name in ids))


def _dict(file: Path) -> Mapping[Any, Any]:
    content = load_plain(file)
    if not isinstance(content, dict):
        raise DataError(f"{file}: expected a dict by id, found {describe(content)}")
    return content


def _list(file: Path) -> Sequence[Any]:
    content = load_plain(file)
    if not isinstance(content, (list, tuple)):
        raise DataError(f"{file}: expected a list of words, found {describe(content)}")
    return content


def _segment(corpus: _Corpus, name: Any, request: Request) -> Segment:
    where = f"{corpus.folder}: {name}"
    text = corpus.text.get(name)
    if not isinstance(text, dict):
        raise SegmentError(f"{where}: {request.split} lists it, and it has no text")
    words, before = _texts(corpus, text, where)
    frames: dict[str, Any] = dict.fromkeys(FRAMES)
    earlier: list[dict[str, np.ndarray]] = [{} for _ in before]
    for modality, by_id in corpus.frames.items():
        own = by_id.get(name) or {}
        frames[modality] = own.get("punchline_features")
        of_context = own.get("context_features")
        if of_context is not None and len(of_context) == len(before):
            for found, each in zip(earlier, of_context, strict=True):
                array = frame_array(each, modality, f"{where}: context")
                found |= {} if array is None else {modality: array}
    segment = segment_of(
        # Videos are not named: each segment counts as one of its own.
        name=str(name) if isinstance(name, (int, np.integer)) else name,
        words=words,
        label=_label(corpus.labels.get(name), f"{where}: label"),
        where=where,
        **frames,
    )
    segment = replace(segment, targets=named_values(humor=segment.label))
    turns = [Turn(each, found) for each, found in zip(before, earlier, strict=True)]
    return with_context(segment, turns, request.context)


def _texts(
    corpus: _Corpus, text: Mapping[Any, Any], where: str
) -> tuple[list[str], list[list[str]]]:
    """Return the words of the punchline, and of each sentence before it."""
    if corpus.words is None:
        before = text.get("context_sentences")
        sentences = before if isinstance(before, (list, tuple)) else []
        punchline = _sentence(text.get("punchline_sentence"), f"{where}: punchline_sentence")
        return punchline, [_sentence(each, f"{where}: context") for each in sentences]
    before = text.get("context_embedding_indexes")
    punchline = _named(corpus.words, text.get("punchline_embedding_indexes"), where)
    return punchline, [_named(corpus.words, each, where) for each in (before or [])]


def _sentence(value: Any, where: str) -> list[str]:
    if isinstance(value, (list, tuple)):
        return word_list(value, where) if len(value) != 1 else split_text(value[0], where)
    return split_text(value, where)


def _named(words: Sequence[Any], positions: Any, where: str) -> list[str]:
    found = np.asarray(positions).reshape(-1)
    if found.dtype.kind not in "iu" or (found.size and not 0 <= found.max() < len(words)):
        raise SegmentError(
            f"{where}: expected the positions of words in {WORDS}, found {describe(positions)}"
        )
    return word_list([words[i] for i in found], where)


def _label(value: Any, where: str) -> int | None:
    value = value.reshape(-1).tolist() if isinstance(value, np.ndarray) else value
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if value is None:
        return None
    if not isinstance(value, (int, float, np.integer, np.floating)) or value not in (0, 1):
        raise SegmentError(f"{where} is {describe(value)}; expected 0 or 1")
    return int(value)
