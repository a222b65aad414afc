"""Pool a sequence of states to one vector."""

import torch
from torch import Tensor, nn

from mmf_cmsbert.modules.packing import Layout, Padding


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """Return the mean over the positions in ``mask``; zeros for an empty mask.

    Args:
        states: ``(batch, positions, dim)``.
        mask: true for positions to average, ``(batch, positions)``.

    Returns:
        ``(batch, dim)``.
    """
    layout = Padding(mask)
    return mean_row(layout.pack(states), layout)


def mean_row(row: Tensor, layout: Layout) -> Tensor:
    """Return the mean over the positions of each segment; zeros for a segment without positions.

    Args:
        row: ``(all, dim)``.
        layout: layout of the row.

    Returns:
        ``(batch, dim)``.
    """
    weights = layout.mask.to(row.dtype)
    return layout.sum(row, weights) / weights.sum(1, keepdim=True).clamp(min=1.0)


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
        layout = Padding(mask)
        return self.pool_row(layout.pack(states), layout)

    def pool_row(self, row: Tensor, layout: Layout) -> Tensor:
        """Pool the positions of each segment, ``(all, dim)`` to ``(batch, dim)``.

        A segment without positions gets zeros.
        """
        score = layout.pad(self.score(row).float()).squeeze(-1)
        score = score.masked_fill(~layout.mask, torch.finfo(score.dtype).min)
        weights = score.softmax(-1).masked_fill(~layout.mask, 0.0).to(row.dtype)
        return layout.sum(row, weights)
