"""Notify a module after each step of its optimizer, with any trainer."""

import weakref
from collections.abc import Callable
from typing import TypeVar

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

Module = TypeVar("Module", bound=nn.Module)


def after_each_update(module: Module, call: Callable[[Module], None]) -> None:
    """Call ``call(module)`` after every step of an optimizer that holds parameters of ``module``.

    Trainers differ in their callbacks, and MMF 1.0.0rc10's has none, but every optimizer has step
    hooks. So accumulated and skipped steps are counted correctly too. The hook does not keep the
    module alive, and is removed with it.
    """
    reference = weakref.ref(module)
    ours: weakref.WeakKeyDictionary[Optimizer, bool] = weakref.WeakKeyDictionary()

    def stepped(optimizer: Optimizer, *_: object) -> None:
        owner = reference()
        if owner is None:
            return
        if optimizer not in ours:
            parameters = {id(p) for p in owner.parameters()}
            held = (id(p) for group in optimizer.param_groups for p in group["params"])
            ours[optimizer] = any(p in parameters for p in held)
        if ours[optimizer]:
            call(owner)

    handle = register_optimizer_step_post_hook(stepped)
    weakref.finalize(module, handle.remove)
