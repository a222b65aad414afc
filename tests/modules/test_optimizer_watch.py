"""A module is notified of its own updates only."""

import gc

import pytest
import torch
from torch import nn
from torch.optim import optimizer as torch_optimizer

from mmf_cmsbert.modules.optimizer_watch import after_each_update


def step(optimizer):
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.ones_like(parameter)
    optimizer.step()


def test_is_called_after_each_step_of_its_own_optimizer_only():
    module, other, seen = nn.Linear(1, 1), nn.Linear(1, 1), []
    after_each_update(module, lambda m: seen.append(m.weight.item()))
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    start = module.weight.item()
    step(optimizer)
    step(torch.optim.SGD(other.parameters(), lr=1.0))
    step(optimizer)
    assert seen == pytest.approx([start - 1.0, start - 2.0])


def test_neither_keeps_the_module_alive_nor_outlives_it():
    hooks = torch_optimizer._global_optimizer_post_hooks
    before = len(hooks)
    module = nn.Linear(1, 1)
    after_each_update(module, lambda m: None)
    assert len(hooks) == before + 1
    del module
    gc.collect()
    assert len(hooks) == before
