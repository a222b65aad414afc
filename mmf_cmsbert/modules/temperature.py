"""The temperature of the contrastive similarities."""

import math

import torch
from torch import Tensor, nn


class Temperature(nn.Module):
    """A positive scalar, learned in log space and clamped (CLIP, Radford et al., 2021, sec. 2.3).

    Args:
        start: the value to start with (or to stay at).
        learned: whether training may change it.
        low: it never gets smaller than this,
        high: nor larger than this.
    """

    def __init__(
        self, start: float = 0.07, learned: bool = True, low: float = 0.01, high: float = 0.5
    ):
        super().__init__()
        self.bounds = (math.log(low), math.log(high))
        self.log = nn.Parameter(torch.tensor(math.log(start)), requires_grad=learned)

    def forward(self) -> Tensor:
        """The temperature, a scalar tensor."""
        # The value itself is kept within its bounds: a clamp in the graph has no gradient outside
        # them, and a temperature that an update carried there could never come back.
        with torch.no_grad():
            self.log.clamp_(*self.bounds)
        return self.log.exp()
