"""CMS: each word is shifted by what the whole utterance shows, sounds like and says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmf_cmsbert.modules.pooling import AttentionPooling
from mmf_cmsbert.modules.shifts.base import Shift
from mmf_cmsbert.modules.shifts.registry import register_shift

if TYPE_CHECKING:
    from mmf_cmsbert.modules.settings import NetworkSettings

GATES = {"relu": torch.relu, "sigmoid": torch.sigmoid}


class ContextAttention(nn.Module):
    """``c^m_i``: word i attends to all frames of the utterance, with several heads (our
    interpretation).

    Args:
        dim: width of the word states that ask.
        frame_dim: width of the encoded frames that answer, and of the answer.
        heads: attention heads.
    """

    def __init__(self, dim: int, frame_dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, frame_dim)
        self.key_value = nn.Linear(frame_dim, 2 * frame_dim)

    def forward(self, states: Tensor, frames: Tensor, mask: Tensor) -> Tensor:
        """Read frames ``(batch, frames, frame_dim)`` under ``mask (batch, frames)``.

        A segment without any frame reads everywhere; its answer must be ignored by the caller.

        Returns:
            ``(batch, pieces, frame_dim)``.
        """

        def split(x: Tensor) -> Tensor:  # (batch, positions, dim) -> (batch, heads, positions, .)
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        key, value = self.key_value(frames).chunk(2, dim=-1)
        readable = (mask | ~mask.any(1, keepdim=True))[:, None, None, :]
        context = F.scaled_dot_product_attention(
            split(self.query(states)), split(key), split(value), attn_mask=readable
        )
        return context.transpose(1, 2).flatten(2)


@register_shift("utterance")
class UtteranceShift(Shift):
    """Context-driven modality shifting (paper's abstract; the equations are our interpretation).

    ``s`` is an attention pooling of z over the words, the verbal context of the utterance. For each
    modality m, ``c^m_i`` is what word i reads in the frames,
    ``g^m_i = gate(W_g^m [z_i; s; c^m_i])`` and ``h_i = sum_m g^m_i * (W^m c^m_i)``; then as in
    :class:`Shift`.

    Args:
        dim: width of the word states.
        frame_dim: width of the encoded frames.
        modalities: the modalities that shift words.
        heads: heads of the attention from words to frames.
        gate: ``relu`` (as in MAG) or ``sigmoid``.
        beta: the longest displacement allowed, in lengths of the state.
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
        cls, settings: NetworkSettings, dim: int, widths: Mapping[str, Mapping[str, int]]
    ) -> UtteranceShift:
        return cls(
            dim,
            settings.frame_dim,
            tuple(widths),
            settings.frame_heads,
            settings.shift_gate,
            settings.shift_beta,
            settings.shift_dropout,
            settings.shift_start,
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
            mask: True where there is a piece, ``(batch, pieces)``.
            frames: modality -> encoded frames, ``(batch, frames, frame_dim)``; the number of frames
                need not be the number of words, nor the same in all modalities.
            frame_masks: modality -> True where a frame was recorded, ``(batch, frames)``. A segment
                whose frames are all masked gets exactly no shift from that modality.

        Returns:
            Shifted states, ``(batch, pieces, dim)``.
        """
        utterance = self.verbal_context(states, mask).unsqueeze(1)  # (batch, 1, dim)
        displacement = torch.zeros_like(states)
        for modality, encoded in frames.items():
            frame_mask = frame_masks[modality]
            context = self.contexts[modality](states, encoded, frame_mask)
            gate = self._gate(modality, states, utterance, context)
            pull = GATES[self.gate](gate) * self.values[modality](context)
            displacement = displacement + pull * frame_mask.any(1)[:, None, None]
        return self.displace(states, displacement)

    def _gate(self, modality: str, states: Tensor, utterance: Tensor, context: Tensor) -> Tensor:
        """``W_g^m [z_i; s; c^m_i]``, with the product of s, the same for all words, made once."""
        gate, dim = cast(nn.Linear, self.gates[modality]), states.size(-1)
        of_word, of_utterance, of_context = gate.weight.split([dim, dim, context.size(-1)], dim=1)
        return (
            F.linear(states, of_word, gate.bias)
            + F.linear(utterance, of_utterance)
            + F.linear(context, of_context)
        )
