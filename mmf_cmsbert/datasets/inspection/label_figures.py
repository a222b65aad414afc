"""Running figures of the labels of one target."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmf_cmsbert.config.schemas.targets import MultilabelTarget, RegressionTarget, Target

# A range of more whole numbers than this is divided into as many parts.
_PARTS = 10


class LabelFigures:
    """Figures of labels that are added one by one.

    Args:
        target: the target.
    """

    def __init__(self, target: Target):
        self._target = target
        self._counts: Counter[str] = Counter()
        self._sum, self._known = 0.0, 0
        self._unlabelled: list[str] = []
        self._out_of_range: list[str] = []

    def add(self, segment_id: str, values: Sequence[float] | None) -> None:
        """Add the label of a segment; None or NaN if it is unknown."""
        if values is None or all(map(math.isnan, values)):
            self._unlabelled.append(segment_id)
        elif (names := self._names(values)) is None:
            self._out_of_range.append(segment_id)
        else:
            self._known += 1
            self._sum += values[0]
            self._counts.update(names)

    def found(self) -> dict[str, Any]:
        """Return the figures, as built-in types.

        Returns:
            ``expected`` (the valid labels in words), ``classes`` (class, label or whole number ->
            count), ``mean`` (of numbers), ``unlabelled`` and ``out_of_range`` (ids of segments).
        """
        is_number = isinstance(self._target, RegressionTarget)
        return {
            "expected": self._target.expected(),
            "classes": {name: self._counts[name] for name in self._all()},
            "mean": self._sum / self._known if self._known and is_number else None,
            "unlabelled": self._unlabelled,
            "out_of_range": self._out_of_range,
        }

    def _all(self) -> list[str]:
        target = self._target
        if not isinstance(target, RegressionTarget):
            return list(target.names)
        low, high = math.ceil(target.low), math.floor(target.high)
        if high - low <= _PARTS:
            return [str(value) for value in range(low, high + 1)]
        return [self._part(number) for number in range(_PARTS)]

    def _part(self, number: int) -> str:
        assert isinstance(self._target, RegressionTarget)
        low, step = self._target.low, (self._target.high - self._target.low) / _PARTS
        return f"{low + number * step:g} to {low + (number + 1) * step:g}"

    def _names(self, values: Sequence[float]) -> list[str] | None:
        """Return the classes of a label, None if it is invalid."""
        target, value = self._target, values[0]
        if isinstance(target, RegressionTarget):
            if not target.low <= value <= target.high:
                return None
            low, high = math.ceil(target.low), math.floor(target.high)
            if high - low <= _PARTS:
                return [str(min(max(round(value), low), high))]
            share = (value - target.low) / (target.high - target.low)
            return [self._part(min(int(share * _PARTS), _PARTS - 1))]
        if isinstance(target, MultilabelTarget):
            if len(values) != len(target.names) or set(values) - {0, 1}:
                return None
            return [name for name, each in zip(target.names, values, strict=True) if each]
        return [target.names[int(value)]] if value in range(len(target.names)) else None
