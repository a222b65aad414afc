"""What a shift did to the words of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class ShiftExplanation:
    """How far each word piece was shifted, by which modality, and by which frames.

    Sizes are lengths of a displacement divided by the length of the word state that it moves, after
    it was limited to ``shift.beta``: 0 is no shift, 1 moves a state by its own length.

    Attributes:
        size: size of the whole shift, ``(batch, pieces)``. Zero for padding.
        sizes: modality -> size of its part of the shift, ``(batch, pieces)``. Parts can point in
            different directions, so that they need not add up to ``size``.
        gates: modality -> mean of its gate's elements, ``(batch, pieces)``.
        attention: modality -> share of each frame in what a piece reads, mean over the heads,
            ``(batch, pieces, frames)``. A row sums to 1; it is zero for padding, and for a segment
            without frames.
    """

    size: Tensor
    sizes: Mapping[str, Tensor] = field(default_factory=dict)
    gates: Mapping[str, Tensor] = field(default_factory=dict)
    attention: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class ShiftPart:
    """The part of one modality in a shift, before the shift is limited.

    Attributes:
        displacement: ``(batch, pieces, dim)``.
        gate: the gate's elements, ``(batch, pieces, dim)``.
        attention: share of each frame, ``(batch, pieces, frames)``.
    """

    displacement: Tensor
    gate: Tensor
    attention: Tensor
