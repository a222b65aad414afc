"""Explanations of a shift of the words of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class ShiftExplanation:
    """How far each word piece was shifted, by which modality, and by which frames.

    A size is the norm of a displacement, after it is limited by ``shift.beta``, divided by the norm
    of the word state: 0 is no shift, 1 is a displacement as long as the state.

    Attributes:
        size: size of the whole shift, ``(batch, pieces)``. Zero for padding.
        sizes: modality -> size of its part of the shift, ``(batch, pieces)``. Parts can point in
            different directions, so that they need not add up to ``size``.
        gates: modality -> mean of its gate's elements, ``(batch, pieces)``.
        attention: modality -> attention weight of each frame, mean over the heads, ``(batch,
            pieces, frames)``. A row sums to 1; it is zero for padding, and for a segment without
            frames.
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
        attention: attention weight of each frame, ``(batch, pieces, frames)``.
    """

    displacement: Tensor
    gate: Tensor
    attention: Tensor
