"""The files that MISA's loader reads (github.com/declare-lab/MISA, ``src/create_dataset.py``)."""

import pickle
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.writers import aligned, pickles, word_vectors
from mmf_cmsbert.datasets.writers.aligned import Written

SPLIT_FILES = {"train": "train.pkl", "val": "dev.pkl", "test": "test.pkl"}
MAPPING = "embedding_and_mapping.pt"
FILES = (*SPLIT_FILES.values(), MAPPING)
# MISA's vocabularies begin with these.
_UNKNOWN, _PADDING = "<unk>", "<pad>"


def write_misa(
    folder: Path,
    splits: Mapping[str, Iterable[Segment]],
    widths: Mapping[str, int],
    vectors: Path | None = None,
) -> Written:
    """Write ``train.pkl``, ``dev.pkl``, ``test.pkl`` and ``embedding_and_mapping.pt``.

    One segment is in memory at a time. Word ids number the words of all splits in order, after
    ``<unk>`` (0) and ``<pad>`` (1). The layout has no missing modalities: such a segment gets
    zeros. An unknown label is NaN. Videos and times are not written.

    ``embedding_and_mapping.pt`` holds ``(pretrained_emb, word2id)``: float32 ``(words, 300)`` and a
    dict, in the format of torch before 1.6, which every version reads.

    Args:
        folder: an existing folder.
        splits: split -> its segments.
        widths: modality -> columns.
        vectors: a text file of word vectors such as ``glove.840B.300d.txt``; None for random ones.

    Raises:
        DataError: a segment is not word-aligned, the width of a modality is unknown, or the word
            vectors cannot be read.
    """
    aligned.check_widths(widths, "MISA")
    written = Written()
    ids = {_UNKNOWN: 0, _PADDING: 1}
    for split, segments in splits.items():
        written.files[split] = folder / SPLIT_FILES[split]
        with open(written.files[split], "wb") as file:
            part = pickles.begin(file)
            pickles.write_list(part, file, _entries(segments, split, widths, ids, written))
            file.write(pickle.STOP)
            aligned.flush(file)
    matrix, known = word_vectors.matrix(ids, vectors)
    with open(folder / MAPPING, "wb") as file:
        torch.save((torch.from_numpy(matrix), ids), file, _use_new_zipfile_serialization=False)
        aligned.flush(file)
    written.notes = _notes(len(ids), known, vectors, written)
    return written


def _entries(
    segments: Iterable[Segment],
    split: str,
    widths: Mapping[str, int],
    ids: dict[str, int],
    written: Written,
) -> Iterator[tuple[Any, ...]]:
    for segment in segments:
        frames = aligned.aligned_frames(segment, widths, "MISA", written)
        numbers = [ids.setdefault(word, len(ids)) for word in segment.words]
        label = aligned.label_of(segment, split, written)
        yield (
            (
                np.array(numbers, np.int64),
                frames["visual"],
                frames["acoustic"],
                list(segment.words),
            ),
            np.array([[label]], np.float32),
            segment.id,
        )


def _notes(words: int, known: int | None, vectors: Path | None, written: Written) -> list[str]:
    found = (
        f"{known} of its {words} words have a vector in {vectors}; the others got random ones."
        if vectors
        else f"The vectors of its {words} words are random; --word-vectors glove.840B.300d.txt "
        "uses GloVe's. MISA reads them only with --use_bert False."
    )
    notes = [f"{MAPPING} holds pretrained_emb and word2id. {found}"]
    if missing := [name for split, name in SPLIT_FILES.items() if split not in written.files]:
        notes.append(f"MISA's loader needs {' and '.join(missing)} as well: convert all splits.")
    else:
        notes.append("Copy the files to MISA's datasets/MOSI (or MOSEI); its train.py reads them.")
    return notes
