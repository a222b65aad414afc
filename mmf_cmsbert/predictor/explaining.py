"""Explanations of predictions, word by word."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.modules.network_output import NetworkOutput
from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation
from mmf_cmsbert.predictor.prediction import Explanation, WordExplanation


def explanations(
    segments: Sequence[Segment],
    word_index: Tensor,
    output: NetworkOutput,
    shift: ShiftExplanation | None,
) -> list[Explanation]:
    """Return the explanation of each segment of a batch.

    Args:
        segments: the segments after preparation.
        word_index: the word that a piece belongs to, -1 for none, ``(batch, pieces)``.
        output: the network's output.
        shift: the explanation of the shift; None if the model has no shift.
    """
    index = word_index.cpu().numpy()
    return [
        Explanation(
            words=_words(segment, index[row], shift, row),
            times=_times(segment),
            embeddings={
                modality: embedding[row].cpu().numpy()
                for modality, embedding in output.embeddings.items()
                if bool(output.present[modality][row])
            },
        )
        for row, segment in enumerate(segments)
    ]


def _words(
    segment: Segment, index: np.ndarray, shift: ShiftExplanation | None, row: int
) -> tuple[WordExplanation, ...]:
    if shift is None:
        return tuple(WordExplanation(word, 0.0) for word in segment.words)
    size = shift.size[row].cpu().numpy()
    sizes = {m: each[row].cpu().numpy() for m, each in shift.sizes.items()}
    gates = {m: each[row].cpu().numpy() for m, each in shift.gates.items()}
    attention = {m: each[row].cpu().numpy() for m, each in shift.attention.items()}
    found = []
    for number, word in enumerate(segment.words):
        pieces = np.flatnonzero(index == number)
        if not len(pieces):
            found.append(WordExplanation(word, None))
            continue
        found.append(
            WordExplanation(
                word,
                float(size[pieces].mean()),
                {m: float(each[pieces].mean()) for m, each in sizes.items()},
                {m: float(each[pieces].mean()) for m, each in gates.items()},
                {m: each[pieces].mean(0)[: _count(segment, m)] for m, each in attention.items()},
            )
        )
    return tuple(found)


def _times(segment: Segment) -> dict[str, np.ndarray]:
    if segment.start is None or segment.end is None:
        return {}
    length = segment.end - segment.start
    times = {}
    for modality in segment.frames:
        if count := _count(segment, modality):
            middles = (np.arange(count, dtype=np.float32) + 0.5) / count
            times[modality] = segment.start + length * middles
    return times


def _count(segment: Segment, modality: str) -> int:
    return len(segment.frames.get(modality, ()))
