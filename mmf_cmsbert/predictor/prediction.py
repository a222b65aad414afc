"""The prediction of a segment, and its explanation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from mmf_cmsbert.config.schemas.targets import SENTIMENT, RegressionTarget, Target
from mmf_cmsbert.datasets.answers import Answer

_SENTIMENT = SENTIMENT["sentiment"]


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
    """The prediction of a segment: its sentiment, or what else the model was trained for.

    >>> Prediction("s1", -3.4).sentiment, Prediction("s1", -3.4).class7
    (-3.0, -3)
    >>> Prediction("s1", 0.2).class2
    'non-negative'

    Attributes:
        id: the segment's id, or its number in the input.
        score: the model's output for a main target that is a number, as in ``mmf_predict``; it can
            exceed the limits. None for classes and labels.
        label: the true value of the main target, if the input contains it: a number, the name of a
            class, or names of labels.
        probabilities: the probability of each class or label of the main target, in the order of
            their names; None for a number.
        explanation: the explanation, with ``explain=True``.
        answers: target -> its answer, the main target first.
        labels: further target -> its true value, if the input contains it.
        target: the main target.
    """

    id: str
    score: float | None
    label: float | str | None = None
    probabilities: tuple[float, ...] | None = None
    explanation: Explanation | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    labels: Mapping[str, float | str | None] = field(default_factory=dict)
    target: Target = _SENTIMENT

    @property
    def value(self) -> float | str | tuple[str, ...]:
        """The answer for the main target: a number, the name of a class, or names of labels."""
        for answer in self.answers.values():
            return answer.value
        return self._number()

    @property
    def sentiment(self) -> float:
        """The score within the limits of the target, by default [-3, 3].

        Raises:
            ValueError: the main target is no number.
        """
        score, target = self._number(), self.target
        if not isinstance(target, RegressionTarget):
            return score
        return min(max(score, target.low), target.high)

    @property
    def class7(self) -> int:
        """The nearest whole number from -3 to 3, as in Acc7.

        Raises:
            ValueError: the main target is no number in [-3, 3].
        """
        if not is_sentiment(self.target):
            raise ValueError(f"the model predicts {self.target.expected()}; expected [-3, 3]")
        return round(self.sentiment)

    @property
    def class2(self) -> Literal["negative", "non-negative"]:
        """The sign, as in Acc2 (negative/non-negative).

        Raises:
            ValueError: the main target is no number.
        """
        return "negative" if self._number() < 0 else "non-negative"

    def as_row(self) -> dict[str, Any]:
        """Return the prediction as a row of a table, without the explanation.

        See :func:`columns` for its columns.
        """
        row: dict[str, Any] = {"id": self.id}
        first, *others = self.answers.items() or [("", Answer(self._number()))]
        row |= first[1].as_row()
        if is_sentiment(self.target):
            row |= {"class7": self.class7, "class2": self.class2}
        row["label"] = self.label
        for name, answer in others:
            row |= answer.as_row(name) | {f"{name}_label": self.labels.get(name)}
        return row

    def _number(self) -> float:
        if self.score is None:
            raise ValueError(
                f"the model predicts {self.target.expected()}, which is no number; see value and "
                "probabilities"
            )
        return self.score


def is_sentiment(target: Target) -> bool:
    """Return whether a target is a number in [-3, 3], which has the usual classes of sentiment."""
    return isinstance(target, RegressionTarget) and (target.low, target.high) == (-3, 3)


def columns(targets: Mapping[str, Target] = SENTIMENT) -> dict[str, type]:
    """Return the columns of a table of predictions: name -> type of its values.

    Args:
        targets: the targets of the model, the main one first.
    """
    found: dict[str, type] = {"id": str}
    for number, (name, target) in enumerate(targets.items()):
        shown = name if number else ""
        kind = float if isinstance(target, RegressionTarget) else str
        found |= {shown or "prediction": kind}
        prefix = f"{shown}_probability" if shown else "probability"
        found |= {f"{prefix}_{each}": float for each in target.names}
        if not number and is_sentiment(target):
            found |= {"class7": int, "class2": str}
        found |= {f"{shown}_label" if shown else "label": kind}
    return found
