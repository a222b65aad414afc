"""Pool a sequence of states to one vector."""

import torch
from torch import Tensor, nn

from mmf_cmsbert.modules.packing import Layout


def mean_pool(row: Tensor, layout: Layout) -> Tensor:
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

    def forward(self, row: Tensor, layout: Layout) -> Tensor:
        """Pool the positions of each segment, ``(all, dim)`` to ``(batch, dim)``.

        A segment without positions gets zeros.
        """
        score = layout.pad(self.score(row).float()).squeeze(-1)
        score = score.masked_fill(~layout.mask, torch.finfo(score.dtype).min)
        weights = score.softmax(-1).masked_fill(~layout.mask, 0.0).to(row.dtype)
        return layout.sum(row, weights)
