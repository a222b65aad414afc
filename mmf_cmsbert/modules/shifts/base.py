"""Base class of shifts: a bounded displacement of word states, then norm and dropout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation, ShiftPart

if TYPE_CHECKING:
    from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
    from mmf_cmsbert.modules.network_input import NetworkInput
    from mmf_cmsbert.modules.packing import Layout

STARTS = ("mag", "identity")
_EPSILON = 1e-6


def limit_displacement(states: Tensor, displacement: Tensor, beta: float) -> Tensor:
    """Scale a displacement to a norm of at most ``beta`` times the norm of the state.

    ``alpha = min(beta * ||z|| / (||h|| + 1e-6), 1)`` where ``||h|| = 0`` counts as 1
    (Rahman et al., ACL 2020, equations 4 and 5).

    Args:
        states: z, ``(..., dim)``.
        displacement: h, ``(..., dim)``.
        beta: largest norm of the displacement, relative to that of z.

    Returns:
        ``alpha * h``, ``(..., dim)``.
    """
    state_norm = states.norm(dim=-1, keepdim=True)
    norm = displacement.norm(dim=-1, keepdim=True)
    norm = norm.masked_fill(norm == 0, 1.0)
    alpha = (beta * state_norm / (norm + _EPSILON)).clamp(max=1.0)
    return alpha * displacement


class Shift(nn.Module):
    """Base of the shifts: ``Dropout(LayerNorm(alpha * h + z))`` (Rahman et al., ACL 2020, eq. 6).

    A new LayerNorm and its dropout disturb a pretrained encoder from the first step on. With
    ``start="identity"`` the result is ``z + Dropout(alpha * h)``, and the maps that compute h are
    initialised with zeros: the result is z at first (our interpretation).

    A subclass registers itself with :func:`~.registry.register_shift` and is built by
    :meth:`from_settings`. Its ``forward(states, mask, frames, frame_masks)`` computes a
    displacement h and passes it to :meth:`displace`; see :meth:`shift_batch` for the arguments.

    Attributes:
        default_start: the value of ``shift.start=auto`` for this shift.
        needs_alignment: whether it requires word-aligned data, with one frame per word.

    Args:
        dim: width of the word states.
        beta: largest norm of the displacement, relative to that of the state.
        dropout: probability of dropping an element of the shifted state, or of the displacement.
        start: ``mag`` or ``identity``.

    Raises:
        ValueError: an unknown start.
    """

    default_start: ClassVar[str] = "identity"
    needs_alignment: ClassVar[bool] = False

    def __init__(self, dim: int, beta: float = 1.0, dropout: float = 0.5, start: str = "mag"):
        super().__init__()
        if start not in STARTS:
            raise ValueError(f"start is {start!r}; expected one of {', '.join(STARTS)}")
        self.beta = beta
        self.norm = nn.LayerNorm(dim) if start == "mag" else None
        self.dropout = nn.Dropout(dropout)

    @classmethod
    def from_settings(
        cls, settings: CMSBERTConfig, dim: int, widths: Mapping[str, Mapping[str, int]]
    ) -> Shift:
        """Build the shift of a network.

        Args:
            settings: ``model_config.cmsbert``; ``settings.shift.beta`` is ``shift.beta``.
            dim: width of the word states.
            widths: modality -> dataset -> width of its frames before they are encoded; encoded
                ones have ``settings.frames.dim``.
        """
        raise NotImplementedError(f"{cls.__name__} has no from_settings")

    @classmethod
    def start(cls, settings: CMSBERTConfig) -> str:
        """Return ``shift.start``, with ``auto`` replaced by this shift's default."""
        start = settings.shift.start
        return cls.default_start if start == "auto" else start

    def shift_row(self, row: Tensor, words: Layout, batch: NetworkInput, dataset: str) -> Tensor:
        """Shift word pieces that lie in a row: calls :meth:`shift_batch` with padded ones.

        Override it for a shift that needs no padding.

        Args:
            row: z, ``(all, dim)``.
            words: layout of the row.
            batch: all else, see :meth:`shift_batch`.
            dataset: the dataset that the batch comes from.

        Returns:
            Shifted states, ``(all, dim)``.
        """
        return words.pack(self.shift_batch(words.pad(row), batch, dataset))

    def shift_batch(self, states: Tensor, batch: NetworkInput, dataset: str) -> Tensor:
        """Shift the word pieces of a network's batch: calls ``forward``.

        Override it for a shift that needs other fields of the batch.

        Args:
            states: z, ``(batch, pieces, dim)``.
            batch: its fields are passed to ``forward``: the mask of the pieces, bool
                ``(batch, pieces)``; modality -> encoded frames, ``(batch, frames, frame_dim)``; and
                modality -> true for recorded frames, ``(batch, frames)``.
            dataset: the dataset that the batch comes from.

        Returns:
            Shifted states, ``(batch, pieces, dim)``.
        """
        shifted: Tensor = self(states, batch.input_mask.bool(), batch.encoded, batch.frame_masks)
        return shifted

    def explain_batch(self, states: Tensor, batch: NetworkInput, dataset: str) -> ShiftExplanation:
        """Explain the result of :meth:`shift_batch` in evaluation mode; same arguments.

        By default the explanation contains only the size of the shift. A subclass overrides this
        method, and calls :meth:`explained`, to add modalities, gates and attention.
        """
        shifted = self.shift_batch(states, batch, dataset)
        return ShiftExplanation(_size(shifted - states, states) * batch.input_mask)

    def explained(
        self, states: Tensor, parts: Mapping[str, ShiftPart], mask: Tensor
    ) -> ShiftExplanation:
        """Explain a shift whose displacement is the sum of its modalities' parts.

        Args:
            states: z, ``(batch, pieces, dim)``.
            parts: modality -> its part.
            mask: true for word pieces, ``(batch, pieces)``.
        """
        zeros = torch.zeros_like(states)
        whole = sum((part.displacement for part in parts.values()), zeros)
        limited = limit_displacement(states, whole, self.beta)
        # One factor for all parts, because their sum is limited.
        factor = limited.norm(dim=-1) / whole.norm(dim=-1).clamp(min=_EPSILON) * mask
        return ShiftExplanation(
            _size(limited, states) * mask,
            {m: _size(part.displacement, states) * factor for m, part in parts.items()},
            {m: part.gate.mean(-1) * mask for m, part in parts.items()},
            {m: part.attention * mask.unsqueeze(-1) for m, part in parts.items()},
        )

    def displace(self, states: Tensor, displacement: Tensor) -> Tensor:
        """Move ``states`` by the limited ``displacement``; both ``(..., dim)``."""
        limited = limit_displacement(states, displacement, self.beta)
        if self.norm is None:
            return states + self.dropout(limited)
        return self.dropout(self.norm(limited + states))

    def begin(self, maps: Iterable[nn.Linear]) -> None:
        """Initialise the linear maps that compute the displacement according to ``start``.

        With ``start="identity"`` they are set to zeros, otherwise they are not changed. Call it at
        the end of the constructor.
        """
        if self.norm is None:
            for each in maps:
                nn.init.zeros_(each.weight)
                nn.init.zeros_(each.bias)


def _size(displacement: Tensor, states: Tensor) -> Tensor:
    """Return the norm of a displacement relative to the state's; both ``(batch, pieces, dim)``."""
    return displacement.norm(dim=-1) / states.norm(dim=-1).clamp(min=_EPSILON)
