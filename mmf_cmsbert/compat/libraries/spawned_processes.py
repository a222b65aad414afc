"""Import this package in spawned processes, before they unpickle objects of MMF.

A forked worker inherits the patches. A spawned one imports `mmf` when it unpickles the arguments of
its task. Before that, multiprocessing sends it a dict with the parent's `sys.path`; an additional
entry of this dict imports this package. It also passes on the locks of the run.
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
    why="A spawned worker imports MMF by unpickling, before the patches are applied.",
    remove_when="MMF imports on current libraries without patches.",
)
def import_in_spawned_processes() -> None:
    spawn.get_preparation_data = get_preparation_data


class _ImportInChild:
    """Imports the parent's copy of this package when it is unpickled.

    It also passes on the run's lock, which is then held as long as any process of the run lives.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        popen: Any = get_spawning_popen()
        for descriptor in descriptors():
            popen.duplicate_for_child(descriptor)
        # The dict is unpickled before the parent's path is set in the child.
        path = [entry for entry in sys.path if entry]
        code = f"import sys; sys.path += [p for p in {path!r} if p not in sys.path]"
        return exec, (f"{code}; import mmf_cmsbert",)


def get_preparation_data(name: str) -> dict[str, Any]:
    """Return the data that multiprocessing sends to a spawned child, with the import."""
    return {**_original(name), "mmf_cmsbert": _ImportInChild()}
