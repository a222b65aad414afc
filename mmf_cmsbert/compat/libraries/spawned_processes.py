"""Spawned processes import this package before they unpickle objects of MMF, and inherit locks.

A forked worker inherits the patches. A spawned one starts empty, unpickles the arguments of its
task, and so imports `mmf` by name. multiprocessing sends a dict with the parent's `sys.path` and
the like first; one more entry in it imports this package.
"""

import sys
from multiprocessing import spawn
from multiprocessing.context import get_spawning_popen
from typing import Any

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.utils.folder_lock import descriptors

_original = spawn.get_preparation_data


@patch(
    "multiprocessing.spawn.get_preparation_data",
    why="A spawned worker imports MMF by unpickling, before anything applies the patches to it.",
    remove_when="MMF imports on current libraries without patches.",
)
def import_in_spawned_processes() -> None:
    spawn.get_preparation_data = get_preparation_data


class _ImportInChild:
    """Imports the parent's copy of this package when it is unpickled.

    A run's lock goes with it, so that it is held while any process of the run lives.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        for descriptor in descriptors():
            get_spawning_popen().duplicate_for_child(descriptor)
        # the dict is unpickled before the child has the parent's path
        path = [entry for entry in sys.path if entry]
        code = f"import sys; sys.path += [p for p in {path!r} if p not in sys.path]"
        return exec, (f"{code}; import mmf_cmsbert",)


def get_preparation_data(name: str) -> dict[str, Any]:
    """The data that multiprocessing sends to a spawned child, and the import."""
    return {**_original(name), "mmf_cmsbert": _ImportInChild()}
