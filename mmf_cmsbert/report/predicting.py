"""The predictions of a model for a split, with explanations, as a report shows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mmf_cmsbert.config.schemas.targets import MultilabelTarget, RegressionTarget, main
from mmf_cmsbert.datasets.segment import Segment, in_order
from mmf_cmsbert.errors import SegmentError
from mmf_cmsbert.report import heat, vectors
from mmf_cmsbert.report.collected import Part, ScoredSegment
from mmf_cmsbert.report.pooled_states import pooled_states

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import Prediction, SentimentPredictor

_BATCH = 32
_WORDS, _LETTERS = 150, 40


@dataclass
class _Found:
    segments: dict[int, ScoredSegment] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    pooled: dict[str, dict[int, np.ndarray]] = field(default_factory=lambda: defaultdict(dict))
    projected: dict[str, dict[int, np.ndarray]] = field(default_factory=lambda: defaultdict(dict))


def predicted(
    predictor: SentimentPredictor,
    stored: Sequence[Segment],
    dataset: str,
    split: str,
    counts: dict[str, int],
    synthetic: bool,
) -> Part:
    """Predict and explain the segments of a split.

    Args:
        predictor: the model, for the dataset.
        stored: the split.
        dataset: its name.
        split: ``val`` or ``test``.
        counts: split -> number of segments.
        synthetic: whether the data is synthetic.
    """
    found = _Found()
    with pooled_states(predictor.network.projections) as states:
        for positions, segments in _batches(stored):
            states.clear()
            results = list(predictor.stream(iter(segments), _BATCH, explain=True))
            rows = [i for i, each in enumerate(results) if not isinstance(each, SegmentError)]
            found.errors += [str(each) for each in results if isinstance(each, SegmentError)]
            # The network's rows are the segments that could be used, in their order.
            arrays = {name: state.float().cpu().numpy() for name, state in states.items()}
            for row, i in enumerate(rows):
                prediction: Any = results[i]
                position = positions[i]
                found.segments[position] = scored(segments[i], prediction)
                for name, vector in prediction.explanation.embeddings.items():
                    found.projected[name][position] = vector
                    found.pooled[name][position] = arrays[name][row]
    order = sorted(found.segments)
    places = {position: number for number, position in enumerate(order)}
    pooled, projected = (
        {name: {places[p]: each[p] for p in sorted(each)} for name, each in kind.items()}
        for kind in (found.pooled, found.projected)
    )
    segments_in_order = [found.segments[position] for position in order]
    return Part(
        dataset=dataset,
        split=split,
        counts=counts,
        segments=heat.with_some_heat(segments_in_order, heat.BYTES),
        skipped=found.errors,
        embeddings=vectors.embeddings(pooled, projected, len(order)),
        synthetic=synthetic,
        name=main(predictor.targets)[0],
        target=main(predictor.targets)[1],
    )


def _batches(stored: Sequence[Segment]) -> Iterator[tuple[list[int], list[Segment]]]:
    """Positions and segments, those of similar length together."""
    lengths = [len(stored[i].words) for i in range(len(stored))]
    order = sorted(range(len(stored)), key=lengths.__getitem__)
    for first in range(0, len(order), _BATCH):
        positions = order[first : first + _BATCH]
        yield positions, [stored[i] for i in positions]


def scored(segment: Segment, prediction: Prediction) -> ScoredSegment:
    """A segment and its prediction, with heat maps."""
    assert prediction.explanation is not None
    words = prediction.explanation.words[:_WORDS]
    kinds = list(dict.fromkeys(name for each in words for name in each.shifts))
    maps = {}
    for name in dict.fromkeys(name for each in words for name in each.attention):
        rows = [each.attention.get(name) for each in words]
        if found := heat.heat_map(rows, prediction.explanation.times.get(name)):
            maps[name] = found
    return ScoredSegment(
        id=segment.id,
        words=[_short(each.word) for each in words] + ["…"] * (len(segment.words) > _WORDS),
        **answered(prediction),
        modalities=[m for m in in_order(segment.frames) if len(segment.frames[m])],
        shift=[_rounded(each.shift) for each in words],
        shifts={name: [_rounded(each.shifts.get(name)) for each in words] for name in kinds},
        heat=maps,
    )


def answered(prediction: Prediction) -> dict[str, Any]:
    """Return label and score of the main target: of a number, or how wrong another answer is.

    The label of classes and several labels is 0, and the score is the share of them that is wrong;
    ``truth`` and ``answer`` are their names.
    """
    target, label = prediction.target, prediction.label
    if isinstance(target, RegressionTarget):
        assert prediction.score is not None
        return {"label": label, "score": round(prediction.score, 6)}
    row = prediction.as_row()
    answer, wrong = row["prediction"], 0.0
    if label is not None:
        given, known = ({n for n in str(t).split(", ") if n} for t in (answer, label))
        several = isinstance(target, MultilabelTarget)
        wrong = len(given ^ known) / len(target.names) if several else float(answer != label)
    return {
        "label": None if label is None else 0.0,
        "score": round(wrong, 6),
        "truth": label,
        "answer": answer,
    }


def _short(word: str) -> str:
    return word if len(word) <= _LETTERS else f"{word[:_LETTERS]}…"


def _rounded(size: float | None) -> float | None:
    return None if size is None else round(size, 4)
