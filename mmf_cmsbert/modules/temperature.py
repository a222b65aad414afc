"""The temperature of the contrastive similarities."""

import math

import torch
from torch import Tensor, nn


class Temperature(nn.Module):
    """A positive scalar, learned in log space and clamped (CLIP, Radford et al., 2021, sec. 2.3).

    Args:
        start: the initial value, or the fixed one.
        learned: whether it is trained.
        low: lower bound.
        high: upper bound.
    """

    def __init__(
        self, start: float = 0.07, learned: bool = True, low: float = 0.01, high: float = 0.5
    ):
        super().__init__()
        self.bounds = (math.log(low), math.log(high))
        self.log = nn.Parameter(torch.tensor(math.log(start)), requires_grad=learned)

    def forward(self) -> Tensor:
        """Return the temperature, a scalar tensor."""
        # The parameter is clamped, not its use: a clamp in the graph has no gradient outside of the
        # bounds, so a temperature beyond them could never return.
        with torch.no_grad():
            self.log.clamp_(*self.bounds)
        return self.log.exp()
