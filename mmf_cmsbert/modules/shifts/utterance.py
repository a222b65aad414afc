"""CMS: each word is shifted by the frames and the words of the whole utterance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmf_cmsbert.modules.attention import SegmentAttention
from mmf_cmsbert.modules.network_input import NetworkInput, Rows
from mmf_cmsbert.modules.packing import Layout, Padding
from mmf_cmsbert.modules.pooling import AttentionPooling
from mmf_cmsbert.modules.shifts.base import Shift
from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation, ShiftPart
from mmf_cmsbert.modules.shifts.registry import register_shift

if TYPE_CHECKING:
    from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig

GATES = {"relu": torch.relu, "sigmoid": torch.sigmoid}


class ContextAttention(nn.Module):
    """``c^m_i``: word i attends to all frames of the utterance (our interpretation).

    Args:
        dim: width of the word states, the queries.
        frame_dim: width of the encoded frames, the keys and values, and of the output.
        heads: attention heads.
    """

    def __init__(self, dim: int, frame_dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, frame_dim)
        self.key_value = nn.Linear(frame_dim, 2 * frame_dim)

    def forward(self, row: Tensor, words: Layout, frames: Rows) -> Tensor:
        """Attend from words to frames.

        Args:
            row: the words, ``(all, dim)``.
            words: their layout.
            frames: the frames. The caller must ignore the output of a segment without frames.

        Returns:
            ``(all, frame_dim)``.
        """
        attention = SegmentAttention(words, frames.layout, self.heads)
        return attention(*self._heads(row, frames.row)).flatten(1)

    def explain(self, states: Tensor, frames: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the output of :meth:`forward` and the attention weights.

        Args:
            states: the words, ``(batch, pieces, dim)``.
            frames: ``(batch, frames, frame_dim)``.
            mask: true for recorded frames, ``(batch, frames)``.

        Returns:
            The output ``(batch, pieces, frame_dim)``, and each frame's weight, averaged over the
            heads, ``(batch, pieces, frames)``; zeros for a segment without frames.
        """
        query, key, value = (each.transpose(1, 2) for each in self._heads(states, frames))
        scores = query @ key.transpose(-1, -2) / query.size(-1) ** 0.5
        weights = scores.masked_fill(~_readable(mask), float("-inf")).softmax(-1)
        answer = (weights @ value).transpose(1, 2).flatten(2)
        return answer, weights.mean(1) * mask.any(1)[:, None, None]

    def _heads(self, states: Tensor, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return query, key and value, each ``(..., positions, heads, frame_dim / heads)``."""
        key, value = self.key_value(frames).chunk(2, dim=-1)
        query, key, value = (
            each.unflatten(-1, (self.heads, -1)) for each in (self.query(states), key, value)
        )
        return query, key, value


def _readable(mask: Tensor) -> Tensor:
    """Return the attention mask ``(batch, 1, 1, frames)``; all true without frames."""
    return (mask | ~mask.any(1, keepdim=True))[:, None, None, :]


@register_shift("utterance")
class UtteranceShift(Shift):
    """Context-driven modality shifting (paper's abstract; the equations are our interpretation).

    ``s`` is an attention pooling of z over the words, the verbal context of the utterance. For each
    modality m, ``c^m_i`` is the attention of word i over the frames,
    ``g^m_i = gate(W_g^m [z_i; s; c^m_i])`` and ``h_i = sum_m g^m_i * (W^m c^m_i)``; then as in
    :class:`Shift`.

    Args:
        dim: width of the word states.
        frame_dim: width of the encoded frames.
        modalities: the modalities that shift words.
        heads: heads of the attention from words to frames.
        gate: ``relu`` (as in MAG) or ``sigmoid``.
        beta: largest norm of the displacement, relative to that of the state.
        dropout: probability of dropping an element of the shifted state.
        start: ``mag`` or ``identity``, see :class:`Shift`.

    Raises:
        ValueError: an unknown gate or start.
    """

    def __init__(
        self,
        dim: int,
        frame_dim: int,
        modalities: tuple[str, ...],
        heads: int = 4,
        gate: str = "relu",
        beta: float = 1.0,
        dropout: float = 0.5,
        start: str = "mag",
    ):
        super().__init__(dim, beta, dropout, start)
        if gate not in GATES:
            raise ValueError(f"gate is {gate!r}; expected one of {', '.join(GATES)}")
        self.gate = gate
        self.verbal_context = AttentionPooling(dim)
        self.contexts = nn.ModuleDict(
            {m: ContextAttention(dim, frame_dim, heads) for m in modalities}
        )
        self.gates = nn.ModuleDict({m: nn.Linear(2 * dim + frame_dim, dim) for m in modalities})
        values = {m: nn.Linear(frame_dim, dim) for m in modalities}
        self.values = nn.ModuleDict(values)
        self.begin(values.values())

    @classmethod
    def from_settings(
        cls, settings: CMSBERTConfig, dim: int, widths: Mapping[str, Mapping[str, int]]
    ) -> UtteranceShift:
        return cls(
            dim,
            settings.frames.dim,
            tuple(widths),
            settings.frames.heads,
            settings.shift.gate,
            settings.shift.beta,
            settings.shift.dropout,
            cls.start(settings),
        )

    def forward(
        self,
        states: Tensor,
        mask: Tensor,
        frames: Mapping[str, Tensor],
        frame_masks: Mapping[str, Tensor],
    ) -> Tensor:
        """Shift the word pieces of a batch.

        Args:
            states: z, ``(batch, pieces, dim)``.
            mask: true for word pieces, ``(batch, pieces)``.
            frames: modality -> encoded frames, ``(batch, frames, frame_dim)``; the number of frames
                is independent of the number of words and may differ between modalities.
            frame_masks: modality -> true for recorded frames, ``(batch, frames)``. A segment
                without frames of a modality gets exactly no shift from it.

        Returns:
            Shifted states, ``(batch, pieces, dim)``.
        """
        words = Padding(mask)
        rows = {m: Rows.of_padded(each, frame_masks[m]) for m, each in frames.items()}
        return words.pad(self._shift(words.pack(states), words, rows))

    def shift_row(self, row: Tensor, words: Layout, batch: NetworkInput, dataset: str) -> Tensor:
        return self._shift(row, words, batch.rows)

    def _shift(self, row: Tensor, words: Layout, frames: Mapping[str, Rows]) -> Tensor:
        utterance = self.verbal_context.pool_row(row, words)  # (batch, dim)
        displacement = torch.zeros_like(row)
        for modality, each in frames.items():
            context = self.contexts[modality](row, words, each)
            gate = self._gate(modality, utterance, words, row, context)
            present = each.layout.mask.any(1).index_select(0, words.segments)
            pull = gate * self.values[modality](context)
            displacement = displacement + pull * present.unsqueeze(1)
        return self.displace(row, displacement)

    def explain_batch(self, states: Tensor, batch: NetworkInput, dataset: str) -> ShiftExplanation:
        words = Padding(batch.input_mask)
        utterance = self.verbal_context(states, words.mask)
        parts = {}
        for modality, encoded in batch.encoded.items():
            frame_mask = batch.frame_masks[modality]
            attention = cast(ContextAttention, self.contexts[modality])
            context, shares = attention.explain(states, encoded, frame_mask)
            present = frame_mask.any(1)[:, None, None]
            row = (words.pack(each) for each in (states, context))
            gate = self._gate(modality, utterance, words, *row)
            gate = words.pad(gate) * present
            parts[modality] = ShiftPart(gate * self.values[modality](context), gate, shares)
        return self.explained(states, parts, words.mask)

    def _gate(
        self, modality: str, utterance: Tensor, words: Layout, row: Tensor, context: Tensor
    ) -> Tensor:
        """Compute ``gate(W_g^m [z_i; s; c^m_i])``, with one product of s for all words.

        Args:
            modality: m.
            utterance: s, ``(batch, dim)``.
            words: layout of the word pieces.
            row: z, ``(all, dim)``.
            context: c, ``(all, frame_dim)``.

        Returns:
            ``(all, dim)``.
        """
        gate, dim = cast(nn.Linear, self.gates[modality]), row.size(-1)
        of_word, of_utterance, of_context = gate.weight.split([dim, dim, context.size(-1)], dim=1)
        return GATES[self.gate](
            F.linear(row, of_word, gate.bias)
            + F.linear(utterance, of_utterance).index_select(0, words.segments)
            + F.linear(context, of_context)
        )
