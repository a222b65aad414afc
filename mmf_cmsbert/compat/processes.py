"""Processes that are spawned: they unpickle MMF's objects before anything imports this package.

A forked worker inherits what `activate` did. A spawned one begins empty, unpickles the arguments of
its task, and thereby imports `mmf` by name. What multiprocessing sends ahead of them is a dict with
the parent's `sys.path` and the like; an entry more in it imports this package first.
"""

import sys
from multiprocessing import spawn
from typing import Any

_original = spawn.get_preparation_data


def activate() -> None:
    spawn.get_preparation_data = get_preparation_data


class _ImportInChild:
    """Imports this package wherever it is unpickled, from where the parent has it."""

    def __reduce__(self) -> tuple[Any, ...]:
        # the dict is unpickled before the child has the parent's path
        path = [entry for entry in sys.path if entry]
        code = f"import sys; sys.path += [p for p in {path!r} if p not in sys.path]"
        return exec, (f"{code}; import mmf_cmsbert",)


def get_preparation_data(name: str) -> dict[str, Any]:
    """What the child needs to know, as multiprocessing has it, and the import."""
    return {**_original(name), "mmf_cmsbert": _ImportInChild()}
