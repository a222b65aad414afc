"""What a model says of one segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

LOWEST, HIGHEST = -3.0, 3.0


@dataclass(frozen=True, eq=False)
class WordExplanation:
    """How one word was shifted.

    Sizes are in lengths of the word's state, see
    :class:`~mmf_cmsbert.modules.shifts.explanation.ShiftExplanation`. A word of several word pieces
    has their mean.

    Attributes:
        word: the word.
        shift: size of the whole shift. None for a word that the tokenizer has no piece for, or that
            was cut off.
        shifts: modality -> size of its part of the shift.
        gates: modality -> mean of its gate's elements.
        attention: modality -> share of each frame in what the word reads, float32 ``(frames,)``;
            empty where the segment has no frames of the modality.
    """

    word: str
    shift: float | None
    shifts: Mapping[str, float] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    attention: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Explanation:
    """A look inside the prediction of a segment.

    Attributes:
        words: the words of the segment, in order.
        times: modality -> the middle of each frame in seconds into the video, float32
            ``(frames,)``, if frames are spread evenly over the segment (our interpretation: layouts
            say only when a segment begins and ends). Empty where the segment has no times.
        embeddings: modality -> embedding in the common space, float32 ``(dim,)``, of length 1.
            Missing modalities are left out.
    """

    words: tuple[WordExplanation, ...]
    times: Mapping[str, np.ndarray] = field(default_factory=dict)
    embeddings: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Prediction:
    """The sentiment of a segment.

    >>> Prediction("s1", -3.4).sentiment, Prediction("s1", -3.4).class7
    (-3.0, -3)
    >>> Prediction("s1", 0.2).class2
    'non-negative'

    Attributes:
        id: the segment's id, or its number in the input.
        score: what the model gives, as ``mmf_predict`` writes it. A regression can leave [-3, 3].
        label: the true sentiment where the input has it.
        probabilities: of each class, where the model classifies.
        explanation: with ``explain=True``.
    """

    id: str
    score: float
    label: float | None = None
    probabilities: tuple[float, ...] | None = None
    explanation: Explanation | None = None

    @property
    def sentiment(self) -> float:
        """The score within [-3, 3], from very negative to very positive."""
        return min(max(self.score, LOWEST), HIGHEST)

    @property
    def class7(self) -> int:
        """The nearest whole number from -3 to 3, as in Acc7."""
        return round(self.sentiment)

    @property
    def class2(self) -> Literal["negative", "non-negative"]:
        """The sign, as in Acc2 (negative/non-negative)."""
        return "negative" if self.score < 0 else "non-negative"

    def as_row(self) -> dict[str, Any]:
        """The prediction as a row of a table: plain values without the explanation."""
        return {
            "id": self.id,
            "prediction": self.score,
            "class7": self.class7,
            "class2": self.class2,
            "label": self.label,
        }
