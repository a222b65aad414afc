"""Telling a module that an optimizer has just updated it, whatever trainer steps the optimizer."""

import weakref
from collections.abc import Callable
from typing import TypeVar

from torch import nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

Module = TypeVar("Module", bound=nn.Module)


def after_each_update(module: Module, call: Callable[[Module], None]) -> None:
    """Call ``call(module)`` after every step of an optimizer that holds parameters of ``module``.

    Trainers differ in the callbacks that they offer, MMF 1.0.0rc10's offers none; every optimizer
    tells that it has stepped. Accumulated or skipped steps are counted right for the same reason.
    The module is not kept alive, and the hook goes when it does.
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
