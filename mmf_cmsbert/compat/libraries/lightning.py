"""pytorch-lightning: a module that moved."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch

_REMOVED = "pytorch_lightning.callbacks.base"


@patch(
    _REMOVED,
    why="Main, and plugins written for MMF, import Callback from this module, which "
    "pytorch-lightning 1.7 removed.",
    remove_when="MMF imports Callback from pytorch_lightning.callbacks.",
)
def restore_callbacks_module() -> bool:
    library = find_spec("pytorch_lightning")
    if library is None or library.origin is None:
        return False
    if (Path(library.origin).parent / "callbacks" / "base.py").exists():
        return False
    module: Any = ModuleType(_REMOVED)
    # Imported on first use, because it takes seconds, and rc10 does not use it.
    module.__getattr__ = lambda name: getattr(import_module("pytorch_lightning.callbacks"), name)
    imports.replace_module(_REMOVED, module)
    return True
