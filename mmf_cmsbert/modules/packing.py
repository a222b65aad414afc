"""Layouts of a batch's positions, word pieces or frames, in one row: packed or padded."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

Index = tuple[Tensor | None, Tensor | None]


class Layout(ABC):
    """Where the positions of each segment are in a row ``(positions of all segments, ...)``.

    Operations that treat positions alike, such as linear maps and norms, compute on the row.

    Attributes:
        mask: true for positions that a segment has, bool ``(batch, positions)``.
        segments: the segment of each position of the row, ``(all,)``.
        positions: its position in the segment, ``(all,)``.
        lengths: the positions of each segment, in the row.
    """

    mask: Tensor
    segments: Tensor
    positions: Tensor
    lengths: Sequence[int]

    @abstractmethod
    def pack(self, padded: Tensor) -> Tensor:
        """Convert ``(batch, positions, ...)`` to a row ``(all, ...)``."""

    @abstractmethod
    def pad(self, row: Tensor) -> Tensor:
        """Convert a row ``(all, ...)`` to ``(batch, positions, ...)``; padding is arbitrary."""

    @abstractmethod
    def firsts(self, row: Tensor) -> Tensor:
        """Return the first position of each segment, ``(batch, ...)``."""

    @abstractmethod
    def sum(self, row: Tensor, weights: Tensor) -> Tensor:
        """Return weighted sums of each segment's positions, ``(batch, dim)``.

        Args:
            row: ``(all, dim)``.
            weights: 0 for padding, ``(batch, positions)``.
        """

    @abstractmethod
    def index(self, segments: Sequence[int]) -> Index:
        """Locate segments in the row.

        Returns:
            The indices of their positions in the row, ``(segments, longest)``, where padding has
            the index of some position; None for the whole row in order. And a mask, true for
            positions that may be attended to, ``(segments, longest)``; None if all may.
        """


class Packing(Layout):
    """Positions without padding, segment after segment in the order of the batch.

    Args:
        mask: nonzero for positions that a segment has, ``(batch, positions)``; it may have holes.
    """

    def __init__(self, mask: Tensor):
        self.mask = mask.bool()
        flat = self.mask.flatten()
        self._from = flat.nonzero().squeeze(1)
        self._to = (flat.cumsum(0) - 1).clamp(min=0)
        self.segments = self._from.div(mask.size(1), rounding_mode="floor")
        self.positions = self._from - self.segments * mask.size(1)
        counts = self.mask.sum(1)
        # Of a segment without positions: any, if there is one.
        self._starts = (counts.cumsum(0) - counts).clamp(max=max(len(self._from) - 1, 0))
        self._counts = counts
        self.lengths = counts.tolist()

    def pack(self, padded: Tensor) -> Tensor:
        return padded.flatten(0, 1).index_select(0, self._from)

    def pad(self, row: Tensor) -> Tensor:
        if not len(row):  # zeros that depend on it, so that weights get a gradient
            return row.sum(0) + row.new_zeros(*self.mask.shape, *row.shape[1:])
        return row.index_select(0, self._to).unflatten(0, self.mask.shape)

    def firsts(self, row: Tensor) -> Tensor:
        return row.index_select(0, self._starts)

    def sum(self, row: Tensor, weights: Tensor) -> Tensor:
        weighted = row * self.pack(weights).unsqueeze(1)
        zeros = row.new_zeros(len(self.mask), row.size(1))
        return zeros.index_add(0, self.segments, weighted)

    def index(self, segments: Sequence[int]) -> Index:
        lengths = [self.lengths[each] for each in segments]
        rows = torch.tensor(segments, device=self.mask.device)
        within = torch.arange(max(lengths), device=self.mask.device)
        starts, counts = self._starts[rows, None], self._counts[rows, None]
        if min(lengths) == len(within):
            return starts + within, None
        valid = within < counts
        return starts + within * valid, valid


class Padding(Layout):
    """All positions of a padded batch: no copy, and no synchronisation with a GPU.

    Args:
        mask: nonzero for positions that a segment has, ``(batch, positions)``.
    """

    def __init__(self, mask: Tensor):
        self.mask = mask.bool()
        self.lengths = [mask.size(1)] * len(mask)

    @cached_property
    def segments(self) -> Tensor:  # type: ignore[override]
        return torch.arange(len(self.mask), device=self.mask.device).repeat_interleave(
            self.mask.size(1)
        )

    @cached_property
    def positions(self) -> Tensor:  # type: ignore[override]
        return torch.arange(self.mask.size(1), device=self.mask.device).repeat(len(self.mask))

    def pack(self, padded: Tensor) -> Tensor:
        return padded.flatten(0, 1)

    def pad(self, row: Tensor) -> Tensor:
        return row.unflatten(0, self.mask.shape)

    def firsts(self, row: Tensor) -> Tensor:
        return self.pad(row)[:, 0]

    def sum(self, row: Tensor, weights: Tensor) -> Tensor:
        return torch.einsum("bp,bpd->bd", weights, self.pad(row))

    def index(self, segments: Sequence[int]) -> Index:
        # Attention to nothing is 0/0, so that a segment without positions attends to all of them.
        return None, self.mask | ~self.mask.any(1, keepdim=True)
