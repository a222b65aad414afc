"""Save and restore the states of all random number generators, as plain values."""

import random
from typing import Any

import numpy as np
import torch


def capture() -> dict[str, Any]:
    """Return the states of Python's, NumPy's and PyTorch's global generators."""
    version, words, gauss = random.getstate()
    numpy_state: Any = np.random.get_state()
    name, keys, position, has_gauss, cached = numpy_state
    return {
        "python": (version, torch.tensor(words, dtype=torch.int64), gauss),
        "numpy": (
            name,
            torch.from_numpy(keys.astype(np.int64)),
            int(position),
            int(has_gauss),
            float(cached),
        ),
        "torch": torch.get_rng_state(),
        "cuda": [torch.cuda.get_rng_state(device) for device in _cuda_devices()],
    }


def restore(state: dict[str, Any]) -> None:
    """Restore the states that `capture` returned."""
    version, words, gauss = state["python"]
    random.setstate((version, tuple(words.tolist()), gauss))
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))
    torch.set_rng_state(state["torch"].cpu())
    # Fewer devices than before, or none: there is nothing to put the others' states into.
    for device, device_state in zip(_cuda_devices(), state["cuda"], strict=False):
        torch.cuda.set_rng_state(device_state.cpu(), device)


def _cuda_devices() -> list[int]:
    if not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return []
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        # The others belong to other processes, and touching them would take memory there.
        return [torch.cuda.current_device()]
    return list(range(torch.cuda.device_count()))
