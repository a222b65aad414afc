"""Exponential moving average of a network's weights."""

from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel


def decay_at(update: int, decay: float) -> float:
    """Return ``m_t = min(m, (1 + t) / (10 + t))``, a smaller decay at first (our interpretation).

    Args:
        update: t, number of updates so far.
        decay: m, in [0, 1).
    """
    return min(decay, (1 + update) / (10 + update))


class WeightAverage(AveragedModel):
    """An averaged copy of a network: ``theta_ema <- m_t theta_ema + (1 - m_t) theta``.

    The copy gets no gradients and always computes in evaluation mode. It shares parameters that are
    frozen when it is created. The number of updates is part of the state dict, so that a resumed
    run continues exactly.

    Args:
        network: the network to follow.
        decay: m, the weight of the previous average after warm-up, in [0, 1).
        warm_up: whether to start with a smaller decay, see :func:`decay_at`; otherwise ``m_t = m``.
    """

    def __init__(self, network: nn.Module, decay: float, warm_up: bool = True):
        self.decay, self.warm_up = decay, warm_up
        self._updates: int | None = None  # n_averaged, which is on the device; None: read it
        super().__init__(network)
        # With 0 updates AveragedModel would copy the weights; the initial copy counts as the first.
        self.n_averaged.fill_(1)
        self._share_frozen(network)
        self.requires_grad_(False)
        self.eval()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(of {type(self.module).__name__}, decay={self.decay})"

    def train(self, mode: bool = True) -> "WeightAverage":
        """Stay in evaluation mode: the average is a target or a predictor, never trained."""
        return super().train(False)

    def _share_frozen(self, network: nn.Module) -> None:
        """Share parameters that are not trained instead of copying them; they stay equal."""
        for name, parameter in network.named_parameters():
            if not parameter.requires_grad:
                path, _, own = name.rpartition(".")
                setattr(self.module.get_submodule(path), own, parameter)

    def unshare(self) -> None:
        """Replace shared parameters by copies."""
        for module in self.module.modules():
            for name, parameter in module.named_parameters(recurse=False):
                setattr(module, name, nn.Parameter(parameter.detach().clone(), False))

    @torch.no_grad()
    def begin_at(self, network: nn.Module) -> None:
        """Restart as a copy of a network with the same parameters."""
        for average, weight in zip(self.module.parameters(), network.parameters(), strict=True):
            average.copy_(weight)
        self.n_averaged.fill_(1)
        self._updates = None

    @torch.no_grad()
    def update_parameters(self, model: nn.Module) -> None:
        """Average the weights after an update.

        AveragedModel reads its count of updates three times, and each time waits for the device.
        """
        if self._updates is None:
            self._updates = int(self.n_averaged)
        keep = decay_at(self._updates - 1, self.decay) if self.warm_up else self.decay
        pairs = zip(self.module.parameters(), model.parameters(), strict=True)
        own = [(a, w) for a, w in pairs if a.data_ptr() != w.data_ptr()]  # not the shared ones
        if own:
            torch._foreach_lerp_([a for a, _ in own], [w for _, w in own], 1.0 - keep)
        for copy, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
            copy.copy_(buffer)
        self._updates += 1
        self.n_averaged += 1

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._updates = None
