"""The prediction of a segment, and its explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

LOWEST, HIGHEST = -3.0, 3.0


@dataclass(frozen=True, eq=False)
class WordExplanation:
    """The shift of one word.

    Sizes are relative to the norm of the word's state, see
    :class:`~mmf_cmsbert.modules.shifts.explanation.ShiftExplanation`. Values of a word with several
    word pieces are their means.

    Attributes:
        word: the word.
        shift: size of the whole shift. None if the word has no word piece, or was cut off.
        shifts: modality -> size of its part of the shift.
        gates: modality -> mean of its gate's elements.
        attention: modality -> attention weight of each frame, float32 ``(frames,)``; empty if the
            segment has no frames of the modality.
    """

    word: str
    shift: float | None
    shifts: Mapping[str, float] = field(default_factory=dict)
    gates: Mapping[str, float] = field(default_factory=dict)
    attention: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Explanation:
    """The explanation of a prediction.

    Attributes:
        words: the words of the segment, in order.
        times: modality -> the middle of each frame in seconds from the start of the video, float32
            ``(frames,)``, assuming that frames are evenly spaced (our interpretation: data files
            contain only the start and end of a segment). Empty if the segment has no times.
        embeddings: modality -> embedding in the common space, float32 ``(dim,)``, of norm 1,
            without missing modalities.
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
        score: the model's output, as in ``mmf_predict``. A regression can exceed [-3, 3].
        label: the true sentiment if the input contains it.
        probabilities: the probability of each class if the model is a classifier.
        explanation: the explanation, with ``explain=True``.
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
        """Return the prediction as a row of a table, without the explanation."""
        return {
            "id": self.id,
            "prediction": self.score,
            "class7": self.class7,
            "class2": self.class2,
            "label": self.label,
        }
