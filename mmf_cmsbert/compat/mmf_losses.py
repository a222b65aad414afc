"""Losses of main whose names begin with "multi".

Main means its own loss `multi`, which wants its whole entry in a model's list of losses, and hands
that to every loss with such a name, in place of the entry's `params`.
"""

import functools
from collections.abc import Callable
from typing import Any

from mmf.common.registry import registry
from mmf.modules import losses


def apply() -> None:
    """Give each loss but MMF's own `multi` its params, also where only its name is listed."""
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
