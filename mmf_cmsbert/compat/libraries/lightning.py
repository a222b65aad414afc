"""pytorch-lightning: a module that moved."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch

_GONE = "pytorch_lightning.callbacks.base"


@patch(
    _GONE,
    why="Main, and plugins written for MMF, import Callback from this module, which "
    "pytorch-lightning 1.7 removed.",
    remove_when="MMF imports Callback from pytorch_lightning.callbacks.",
)
def serve_callbacks() -> bool:
    library = find_spec("pytorch_lightning")
    if library is None or (Path(library.origin).parent / "callbacks" / "base.py").exists():
        return False
    module = ModuleType(_GONE)
    # Imported on first use: it takes seconds, and rc10 does not use it.
    module.__getattr__ = lambda name: getattr(import_module("pytorch_lightning.callbacks"), name)
    imports.replace_module(_GONE, module)
    return True
