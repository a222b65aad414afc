"""Losses that return several values."""

from collections.abc import Mapping
from typing import Any

import torch
from mmf.modules import losses
from torch import Tensor

from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.modules.losses.MMFLoss",
    "rc10",
    why="A loss can return one tensor only. Losses of the same type get the same key, and all but "
    "the last are dropped; on main they can return values under names of their own.",
    remove_when="support for rc10 ends.",
)
def named_values() -> None:
    def forward(
        self: losses.MMFLoss, sample_list: Any, model_output: Any, *args: Any, **kwargs: Any
    ) -> dict[str, Tensor]:
        found = self.loss_criterion(sample_list, model_output, *args, **kwargs)
        key = f"{sample_list.dataset_type}/{sample_list.dataset_name}/{self.name}"
        values = found if isinstance(found, Mapping) else {"": found}
        return {
            f"{key}/{name}" if name else key: torch.as_tensor(value).reshape(-1)
            for name, value in values.items()
        }

    losses.MMFLoss.forward = forward
