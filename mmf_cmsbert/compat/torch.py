"""torch: Fourier transforms under their old names, and MMF's masks on machines without a GPU."""

import importlib
import sys
from typing import Any

from mmf_cmsbert.compat import imports


def activate() -> None:
    import torch

    if not hasattr(torch, "rfft"):
        # compact bilinear pooling uses them; a facade for its module keeps `torch` as it is
        fusions = importlib.import_module("mmf.modules.fusions")
        fusions.torch = imports.facade(torch, rfft=rfft, irfft=irfft)
        if hasattr(fusions, "rfft"):
            # Main's own take half spectra for pairs of numbers, and pool something else.
            fusions.rfft, fusions.irfft = rfft, _irfft_of_last
    if torch.cuda.device_count() == 0:
        torch.Tensor.cuda = _cuda_unless_mmf_asks(torch.Tensor.cuda)


def _cuda_unless_mmf_asks(to_cuda: Any) -> Any:
    # visual_bert and vilbert of rc10 move their masks to the GPU without asking whether one is
    # there; where there is none, they could only raise.
    def cuda(self: Any, *args: Any, **kwargs: Any) -> Any:
        if imports.is_mmf(sys._getframe(1).f_globals.get("__name__", "")):
            return self
        return to_cuda(self, *args, **kwargs)

    return cuda


def rfft(input, signal_ndim: int):
    """Real signal to half spectrum, `(..., n)` to `(..., n // 2 + 1, 2)`, as in torch 1.5."""
    import torch

    dims = tuple(range(-signal_ndim, 0))
    return torch.view_as_real(torch.fft.rfftn(input, dim=dims))


def irfft(input, signal_ndim: int, signal_sizes: tuple[int, ...]):
    """Half spectrum to real signal, `(..., n // 2 + 1, 2)` to `(..., n)`, as in torch 1.5."""
    import torch

    dims = tuple(range(-signal_ndim, 0))
    return torch.fft.irfftn(torch.view_as_complex(input.contiguous()), s=signal_sizes, dim=dims)


def _irfft_of_last(input, signal_ndim: int, dim: int, s: tuple[int, ...]):
    return irfft(input, signal_ndim, s)
