"""Pool a sequence of states to one vector."""

import torch
from torch import Tensor, nn


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the positions in ``mask``; zeros for an empty mask.

    Args:
        states: ``(batch, positions, dim)``.
        mask: true for positions to average, ``(batch, positions)``.

    Returns:
        ``(batch, dim)``.
    """
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)


class AttentionPooling(nn.Module):
    """Weighted mean with weights from a learned query: ``softmax(w . tanh(W x))``.

    Additive attention (Bahdanau et al., ICLR 2015) with a constant query; our interpretation.

    Args:
        dim: width of the states.
    """

    def __init__(self, dim: int):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, 1))

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Pool ``(batch, positions, dim)`` under ``mask (batch, positions)`` to ``(batch, dim)``.

        An empty mask gives zeros.
        """
        score = self.score(states).squeeze(-1).float()
        score = score.masked_fill(~mask, torch.finfo(score.dtype).min)
        weights = score.softmax(-1).masked_fill(~mask, 0.0).to(states.dtype)
        return torch.einsum("bp,bpd->bd", weights, states)
