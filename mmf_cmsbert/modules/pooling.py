"""Pooling of a sequence of states into one vector."""

import torch
from torch import Tensor, nn


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Mean over the positions that ``mask`` admits; zeros where it admits none.

    Args:
        states: ``(batch, positions, dim)``.
        mask: True where a position counts, ``(batch, positions)``.

    Returns:
        ``(batch, dim)``.
    """
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)


class AttentionPooling(nn.Module):
    """Weighted mean with weights from a learned query: ``softmax(w . tanh(W x))``.

    Additive attention (Bahdanau et al., ICLR 2015) with a constant query; our interpretation.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Pool ``(batch, positions, dim)`` under ``mask (batch, positions)`` to ``(batch, dim)``.

        A row that the mask leaves empty gives zeros.
        """
        score = self.score(states).squeeze(-1).float()
        score = score.masked_fill(~mask, torch.finfo(score.dtype).min)
        weights = score.softmax(-1).masked_fill(~mask, 0.0).to(states.dtype)
        return torch.einsum("bp,bpd->bd", weights, states)
