"""Losses whose names begin with "multi"."""

import functools
from collections.abc import Callable
from typing import Any

from mmf.common.registry import registry
from mmf.modules import losses

from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.modules.losses.MMFLoss",
    "main",
    why="Main takes every loss whose name begins with `multi` for its own loss `multi`, and passes "
    "it the whole entry in the model's list instead of the entry's params.",
    remove_when="MMF compares the whole name.",
)
def pass_params() -> None:
    original = losses.MMFLoss.__init__

    def __init__(self, params=None):
        named = isinstance(params, str) and params != "multi"
        original(self, {"type": params} if named else params)

    losses.MMFLoss.__init__ = __init__
    losses.registry = _Registry(registry)


class _Registry:
    """MMF's registry as the module of the losses sees it."""

    def __init__(self, original: Any):
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def get_loss_class(self, name: str) -> Callable | None:
        found = self._original.get_loss_class(name)
        if found is None or name == "multi" or not name.startswith("multi"):
            return found

        @functools.wraps(found, updated=())
        def make(entry: Any) -> Any:
            return found(**(entry.get("params") or {}))

        return make
