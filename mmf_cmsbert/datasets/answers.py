"""Labels of a target as tensors, and scores of a target as answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mmf_cmsbert.config.schemas.targets import ClassesTarget, RegressionTarget, Target

# The class of a segment whose class is unknown, which torch's cross entropy ignores.
UNKNOWN_CLASS = -100


@dataclass(frozen=True)
class Answer:
    """What is predicted of one target of a segment.

    Attributes:
        value: the number; the name of the likeliest class; or the names of the labels whose
            probability is above one half.
        probabilities: name of a class or label -> its probability; empty for a number.
    """

    value: float | str | tuple[str, ...]
    probabilities: Mapping[str, float] = field(default_factory=dict)

    def as_row(self, name: str = "") -> dict[str, Any]:
        """Return columns of a table.

        Args:
            name: the name of the target; empty for the main target.
        """
        prefix = f"{name}_probability" if name else "probability"
        return {name or "prediction": _text(self.value)} | {
            f"{prefix}_{each}": share for each, share in self.probabilities.items()
        }


def answers(scores: Tensor, target: Target) -> list[Answer]:
    """Return the answer for each segment of a batch.

    Args:
        scores: ``(batch, outputs)``: the number; or logits of classes or labels.
        target: the target.
    """
    scores = scores.detach().float()
    if isinstance(target, RegressionTarget):
        return [Answer(score) for score in scores.reshape(-1).tolist()]
    names = target.names
    if isinstance(target, ClassesTarget):
        best, shares = scores.argmax(-1).tolist(), scores.softmax(-1).tolist()
        values: list[Any] = [names[each] for each in best]
    else:
        shares = scores.sigmoid().tolist()
        values = [_chosen(row, target) for row in shares]
    return [
        Answer(value, dict(zip(names, row, strict=True)))
        for value, row in zip(values, shares, strict=True)
    ]


def label_tensor(values: Sequence[float] | None, target: Target) -> Tensor:
    """Return the label of a segment: float32 ``(1,)``, int64 ``()`` for classes, or ``(labels,)``.

    Args:
        values: one number, or one for each label; NaN or None if unknown.
        target: the target.
    """
    if isinstance(target, ClassesTarget):
        known = values is not None and values[0] == values[0]  # not NaN
        return torch.tensor(int(values[0]) if values is not None and known else UNKNOWN_CLASS)
    if values is None:
        values = [float("nan")] * target.outputs
    return torch.tensor(list(values), dtype=torch.float32)


def label_value(values: Sequence[float] | None, target: Target) -> float | str | None:
    """Return a label as it is written into tables, None if unknown.

    Args:
        values: one number, or one for each label; NaN or None if unknown.
        target: the target.
    """
    if values is None or all(each != each for each in values):
        return None
    if isinstance(target, RegressionTarget):
        # A label of 1.8 may be the nearest float32.
        return round(values[0], 6)
    if isinstance(target, ClassesTarget):
        return target.names[int(values[0])]
    return _text(_chosen(values, target))


def _chosen(shares: Sequence[float], target: Target) -> tuple[str, ...]:
    return tuple(name for name, each in zip(target.names, shares, strict=True) if each > 0.5)


def _text(value: float | str | tuple[str, ...]) -> float | str:
    return ", ".join(value) if isinstance(value, tuple) else value
