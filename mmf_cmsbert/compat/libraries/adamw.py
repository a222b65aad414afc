"""AdamW with the interface of the one that transformers 5 removed."""

from collections.abc import Iterable
from typing import Any

import torch

from mmf_cmsbert.errors import ConfigError


class AdamW(torch.optim.AdamW):
    """torch's AdamW with the arguments and defaults of transformers' AdamW.

    Raises:
        ConfigError: `correct_bias` is false, which torch does not support.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        correct_bias: bool = True,
        **kwargs: Any,
    ) -> None:
        if not correct_bias:
            raise ConfigError(
                "optimizer.params.correct_bias is False, but torch's AdamW always corrects the "
                "bias of its averages. Remove the key, and reduce the learning rate or increase "
                "the warm-up if training starts too fast."
            )
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, **kwargs)
