"""torch: removed Fourier transforms, and `cuda()` on machines without a GPU."""

import importlib
import sys
from typing import TYPE_CHECKING, Any

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch

if TYPE_CHECKING:
    from torch import Tensor


@patch(
    "mmf.modules.fusions.torch",
    why="torch 1.8 removed rfft and irfft; compact bilinear pooling calls them.",
    remove_when="MMF calls torch.fft.",
)
def restore_fourier_transforms() -> bool:
    import torch

    if hasattr(torch, "rfft"):
        return False
    # Only this module of MMF gets the facade.
    fusions: Any = importlib.import_module("mmf.modules.fusions")
    fusions.torch = imports.facade(torch, rfft=rfft, irfft=irfft)
    if hasattr(fusions, "rfft"):
        # Main's versions treat half spectra as pairs of numbers, with other results.
        fusions.rfft, fusions.irfft = rfft, _irfft_of_last
    return True


@patch(
    "torch.Tensor.cuda",
    why="rc10's visual_bert and vilbert, and main's evaluation, move tensors to the GPU even if "
    "there is none.",
    remove_when="MMF moves tensors to the device of the run.",
)
def stay_on_cpu_without_gpu() -> bool:
    import torch

    if torch.cuda.device_count() > 0:
        return False
    tensor: Any = torch.Tensor
    tensor.cuda = _cuda_except_for_mmf(tensor.cuda)
    return True


def _cuda_except_for_mmf(to_cuda: Any) -> Any:
    def cuda(self: Any, *args: Any, **kwargs: Any) -> Any:
        if imports.is_mmf(sys._getframe(1).f_globals.get("__name__", "")):
            return self
        return to_cuda(self, *args, **kwargs)

    return cuda


def rfft(input: "Tensor", signal_ndim: int) -> "Tensor":
    """Transform a real signal to its half spectrum, as in torch 1.5.

    Args:
        input: the signal, `(..., n)`.
        signal_ndim: number of dimensions to transform, the last ones.

    Returns:
        The half spectrum, real and imaginary parts last, `(..., n // 2 + 1, 2)`.
    """
    import torch

    dims = tuple(range(-signal_ndim, 0))
    return torch.view_as_real(torch.fft.rfftn(input, dim=dims))


def irfft(input: "Tensor", signal_ndim: int, signal_sizes: tuple[int, ...]) -> "Tensor":
    """Transform a half spectrum to the real signal, the inverse of :func:`rfft`.

    Args:
        input: the half spectrum, `(..., n // 2 + 1, 2)`.
        signal_ndim: number of dimensions to transform, the last ones.
        signal_sizes: sizes of these dimensions in the signal.

    Returns:
        The signal, `(..., n)`.
    """
    import torch

    dims = tuple(range(-signal_ndim, 0))
    return torch.fft.irfftn(torch.view_as_complex(input.contiguous()), s=signal_sizes, dim=dims)


def _irfft_of_last(input: "Tensor", signal_ndim: int, dim: int, s: tuple[int, ...]) -> "Tensor":
    return irfft(input, signal_ndim, s)
