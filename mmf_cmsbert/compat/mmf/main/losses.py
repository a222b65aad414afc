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
    why="Every loss whose name begins with `multi` is taken for MMF's loss `multi`, and gets the "
    "whole entry of the model's list instead of the entry's params.",
    remove_when="MMF compares the whole name.",
)
def pass_params() -> None:
    original = losses.MMFLoss.__init__

    def __init__(self: losses.MMFLoss, params: Any = None) -> None:
        named = isinstance(params, str) and params != "multi"
        original(self, {"type": params} if named else params)

    losses.MMFLoss.__init__ = __init__
    losses.registry = _Registry(registry)


class _Registry:
    """MMF's registry for the module of the losses."""

    def __init__(self, original: Any):
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def get_loss_class(self, name: str) -> Callable[..., Any] | None:
        found: Callable[..., Any] | None = self._original.get_loss_class(name)
        if found is None or name == "multi" or not name.startswith("multi"):
            return found

        @functools.wraps(found, updated=())
        def make(entry: Any) -> Any:
            return found(**(entry.get("params") or {}))

        return make
