"""Scale frames by the statistics of their training split."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class FrameScale(nn.Module):
    """``(x - mean) / scale`` for each column, with constants for each dataset.

    The constants are buffers, initially the identity, and saved with the model: a loaded model
    scales as in training, whatever the data.

    Args:
        widths: dataset -> width of a frame.
    """

    def __init__(self, widths: Mapping[str, int]):
        super().__init__()
        for name, width in widths.items():
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_scale", torch.ones(width))

    def set(self, dataset: str, mean: Tensor, scale: Tensor) -> None:
        """Set the constants of a dataset, ``(width,)`` each.

        Raises:
            AttributeError: the dataset is unknown.
            ValueError: the width differs.
        """
        own = self.get_buffer(f"{dataset}_mean")
        if not mean.shape == scale.shape == own.shape:
            raise ValueError(f"constants of shape {tuple(mean.shape)} for {len(own)} columns")
        own.copy_(mean)
        self.get_buffer(f"{dataset}_scale").copy_(scale)

    def forward(self, frames: Tensor, dataset: str) -> Tensor:
        """Scale frames ``(batch, frames, width)``.

        Raises:
            AttributeError: the dataset is unknown.
        """
        mean, scale = self.get_buffer(f"{dataset}_mean"), self.get_buffer(f"{dataset}_scale")
        return (frames - mean) / scale
