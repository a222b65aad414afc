"""rc10's F1 of samples that have several labels, of which it takes one.

It takes the largest, and of equals the torch of its time took the last, today's the first.
"""

from typing import Any

from mmf.modules.metrics import F1
from torch import Tensor


def apply() -> None:
    """Take the last of equals."""
    original = F1.calculate

    def calculate(self: F1, sample_list: Any, model_output: Any, *args: Any, **kwargs: Any):
        expected = sample_list["targets"]
        if not self._multilabel and expected.dim() != 1:
            sample_list = {"targets": _last_largest(expected)}
        return original(self, sample_list, model_output, *args, **kwargs)

    F1.calculate = calculate


def _last_largest(values: Tensor) -> Tensor:
    """`(batch, classes)` to `(batch,)`"""
    return values.size(-1) - 1 - values.flip(-1).argmax(dim=-1)
