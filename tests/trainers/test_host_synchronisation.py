"""Trainers do not read values of tensors in updates that are not logged.

On a GPU, reading a value makes the CPU wait until all queued operations have finished.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from mmf_cmsbert.compat.mmf import line as mmf_line


class Readings(TorchDispatchMode):
    """Counts operations that read a value of a tensor, or whose shape depends on values."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().partition(".")[0]
        by_mask = name in ("aten::index", "aten::index_put_") and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        if by_mask or name in ("aten::_local_scalar_dense", "aten::nonzero"):
            self.count += 1
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("trainer", ["base_trainer", "lightning_cmsbert"])
@pytest.mark.parametrize("clip", [True, False])
def test_an_update_that_is_not_logged_reads_nothing(toy, tmp_path, monkeypatch, trainer, clip):
    forward, readings, counts = toy.ToyModel.forward, Readings(), []

    def watched(self, sample_list):
        counts.append(readings.count)
        return forward(self, sample_list)

    monkeypatch.setattr(toy.ToyModel, "forward", watched)
    # One epoch of 11 updates; the third is logged.
    options = ["training.max_updates=11", "training.batch_size=2", "training.log_interval=3"]
    options += ["training.evaluation_interval=100", "training.checkpoint_interval=100"]
    options += [f"training.clip_gradients={clip}", "training.max_grad_l2_norm=1.0"]
    if mmf_line.is_main():  # which reads each loss
        options += ["training.exit_on_nan_losses=False"]
    made = toy.trainer(tmp_path, f"training.trainer={trainer}", *options)
    # As in our recipes; otherwise torch reads the number of updates, which is on the CPU.
    made.optimizer.param_groups[0]["fused"] = True
    with readings:
        made.train()
    between = [after - before for before, after in zip(counts, counts[1:11], strict=False)]
    logged = [between[update - 1] for update in (3, 6, 9)]
    others = [each for update, each in enumerate(between, start=1) if update % 3]
    assert not any(others) and all(logged)
