"""Dropout with masks that cost little on a CPU."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

_BITS = 16


class Dropout(nn.Dropout):
    """:class:`torch.nn.Dropout` with a faster mask on a CPU.

    torch draws a double for each element, which took a tenth of MiniLM's training step. Here
    16 bits are drawn for each element, so that p is rounded to a multiple of 1/65536; kept
    elements are scaled by the inverse of the rounded probability. On other devices, and for
    ``p=0`` and ``p=1``, it is torch's own dropout. The mask takes one byte per element until the
    backward pass, torch's takes four.

    The seed of each mask comes from torch's default generator: the run's seed repeats the masks,
    and a checkpoint of the generator's state continues them.
    """

    def forward(self, input: Tensor) -> Tensor:
        return dropout(input, self.p, self.training)


def dropout(values: Tensor, p: float, training: bool = True) -> Tensor:
    """Set elements to zero with probability p, and scale the others; see :class:`Dropout`.

    Args:
        values: of any shape.
        p: probability of an element to become zero, in [0, 1].
        training: if false, the values are returned.

    Returns:
        A tensor of the same shape and type.
    """
    exact = round(p * 2**_BITS) in (0, 2**_BITS)
    if not training or values.device.type != "cpu" or exact:
        return F.dropout(values, p, training)
    result: Tensor = _Dropout.apply(values, p)  # type: ignore[no-untyped-call]
    return result


def use_fast_dropout(network: nn.Module) -> None:
    """Replace the :class:`torch.nn.Dropout` modules within a network by :class:`Dropout`."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p).train(child.training))


class Masks:
    """Draws dropout masks on a CPU, in a sequence that its seed determines.

    Args:
        p: probability of dropping an element, rounded to a multiple of 1/65536.
        seed: of the sequence.

    Attributes:
        scale: factor of what is kept.
    """

    def __init__(self, p: float, seed: Sequence[int]):
        self._dropped = round(p * 2**_BITS)
        self._seed = seed
        self._bits: np.random.SFC64 | None = None
        # Nothing is kept with p = 1.
        self.scale = 2**_BITS / max(2**_BITS - self._dropped, 1)

    def __call__(self, like: Tensor, dtype: torch.dtype | None = None) -> Tensor | None:
        """Return 1 for kept elements and 0 for others, in the shape of a tensor.

        Args:
            like: the tensor.
            dtype: type of the mask; the tensor's by default. Not bool, by which torch multiplies
                four times as slowly.

        Returns:
            The mask; None if all elements are kept.
        """
        if not self._dropped:
            return None
        mask = torch.empty(like.shape, dtype=dtype or like.dtype)
        if self._dropped == 2**_BITS:
            return mask.zero_()
        if self._bits is None:
            # Torch's generator takes several times as long.
            self._bits = np.random.SFC64(self._seed)
        words = self._bits.random_raw(-(-mask.numel() * _BITS // 64)).view(np.int16)
        bits = torch.from_numpy(words)[: mask.numel()].view(mask.shape)
        return torch.ge(bits, self._dropped - 2 ** (_BITS - 1), out=mask)


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, p: float) -> Tensor:
        masks = Masks(p, (int(torch.randint(2**62, ())),))
        ctx.scale = masks.scale
        # A byte for each element, because it is kept until the backward pass.
        mask = masks(values, torch.uint8)
        assert mask is not None  # dropout() leaves p = 0 to torch
        ctx.save_for_backward(mask)
        return (values * mask).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (mask,) = ctx.saved_tensors
        return (gradient * mask).mul_(ctx.scale), None
