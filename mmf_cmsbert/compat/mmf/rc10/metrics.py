"""F1 of samples with several labels."""

from typing import Any

from mmf.modules.metrics import F1
from torch import Tensor

from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.modules.metrics.F1",
    "rc10",
    why="It uses the largest of several labels. Of equal ones torch 1.5 returned the last, newer "
    "releases return the first.",
    remove_when="support for rc10 ends.",
)
def take_last_of_equals() -> None:
    original = F1.calculate

    def calculate(
        self: F1, sample_list: Any, model_output: Any, *args: Any, **kwargs: Any
    ) -> Tensor:
        expected = sample_list["targets"]
        if not self._multilabel and expected.dim() != 1:
            sample_list = {"targets": _last_largest(expected)}
        return original(self, sample_list, model_output, *args, **kwargs)

    F1.calculate = calculate


def _last_largest(values: Tensor) -> Tensor:
    """Return the index of the last largest value: `(batch, classes)` to `(batch,)`."""
    return values.size(-1) - 1 - values.flip(-1).argmax(dim=-1)
