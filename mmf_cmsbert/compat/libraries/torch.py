"""torch: Fourier transforms under their old names, and `cuda()` on machines without a GPU."""

import importlib
import sys
from typing import Any

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.modules.fusions.torch",
    why="torch 1.8 removed rfft and irfft; compact bilinear pooling calls them.",
    remove_when="MMF calls torch.fft.",
)
def serve_fourier_transforms() -> bool:
    import torch

    if hasattr(torch, "rfft"):
        return False
    # a facade for this module alone leaves `torch` as it is
    fusions = importlib.import_module("mmf.modules.fusions")
    fusions.torch = imports.facade(torch, rfft=rfft, irfft=irfft)
    if hasattr(fusions, "rfft"):
        # Main's versions read half spectra as pairs of numbers, which gives another result.
        fusions.rfft, fusions.irfft = rfft, _irfft_of_last
    return True


@patch(
    "torch.Tensor.cuda",
    why="rc10's visual_bert and vilbert, and main's evaluation, move tensors to the GPU without "
    "asking whether there is one.",
    remove_when="MMF moves tensors to the device of the run.",
)
def stay_on_cpu_without_gpu() -> bool:
    import torch

    if torch.cuda.device_count() > 0:
        return False
    torch.Tensor.cuda = _cuda_unless_mmf_asks(torch.Tensor.cuda)
    return True


def _cuda_unless_mmf_asks(to_cuda: Any) -> Any:
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
