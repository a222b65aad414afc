"""pytorch-lightning, which MMF's main line uses: the module of callbacks that moved."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from mmf_cmsbert.compat import imports

_GONE = "pytorch_lightning.callbacks.base"


def activate() -> None:
    library = find_spec("pytorch_lightning")
    if library is None or (Path(library.origin).parent / "callbacks" / "base.py").exists():
        return
    module = ModuleType(_GONE)
    # not imported before it is asked for: it takes seconds, and rc10 does not use it
    module.__getattr__ = lambda name: getattr(import_module("pytorch_lightning.callbacks"), name)
    imports.replace_module(_GONE, module)
