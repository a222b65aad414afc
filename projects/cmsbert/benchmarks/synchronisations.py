"""Count where a step makes the CPU wait for the device.

On a GPU torch reports each wait. On a CPU nothing waits; there the operations are counted whose
result the CPU needs before it can continue, which on a GPU would wait. README.md beside this file
lists what is expected.
"""

import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten
# Reads of a value, and results whose size depends on values.
_WAITING = {
    _aten._local_scalar_dense,
    _aten.equal,
    _aten.is_nonzero,
    _aten.masked_select,
    _aten.nonzero,
    _aten.unique_consecutive,
    _aten.unique_dim,
    _aten._unique2,
}


class _Waits(TorchDispatchMode):
    """Collects where the operations are called."""

    def __init__(self) -> None:
        super().__init__()
        self.places: Counter[str] = Counter()

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None):
        if operation.overloadpacket in _WAITING or _selects_by_mask(operation, args):
            self.places[place(traceback.extract_stack())] += 1
        return operation(*args, **(kwargs or {}))


def _selects_by_mask(operation: Any, args: Any) -> bool:
    if operation.overloadpacket is not _aten.index:
        return False
    return any(each is not None and each.dtype == torch.bool for each in args[1])


def count(step: Callable[[], object], device: torch.device) -> Counter[str]:
    """Return how often a step waits at each place: file, line and function.

    Args:
        step: makes a step.
        device: its device.
    """
    if device.type != "cuda":
        with _Waits() as found:
            step()
        return found.places
    places: Counter[str] = Counter()

    def note(message: Any, *_: Any, **__: Any) -> None:
        if "synchroniz" in str(message):
            places[place(traceback.extract_stack())] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = note
        torch.cuda.set_sync_debug_mode("warn")
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return places


def place(stack: traceback.StackSummary) -> str:
    """Return the innermost frame of the stack outside of torch and of this file."""
    for frame in reversed(stack):
        path = Path(frame.filename)
        if "torch" not in path.parts and path != Path(__file__) and path.name != "warnings.py":
            return f"{'/'.join(path.parts[-3:])}:{frame.lineno} ({frame.name})"
    return "unknown"
