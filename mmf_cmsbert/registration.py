"""Registration of this package with MMF, when MMF is imported."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType

from mmf_cmsbert.errors import ConfigError

# Importing one of these registers what is in it.
_REGISTERED = (
    "datasets.builders",
    "losses.registered",
    "losses.registered_target",
    "metrics.registered",
    "metrics.registered_alignment",
    "models.cmsbert",
    "processors.frames_as_regions",
    "processors.registered",
    "trainers.lightning_trainer",
    "trainers.registered",
    "trainers.schedule",
)
_registered = False


def register_with_mmf() -> None:
    """Register now if MMF is imported already, else as soon as it is."""
    if "mmf" in sys.modules:
        register()
    elif not any(isinstance(finder, _MMFFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _MMFFinder())


def register() -> None:
    """Patch MMF for current libraries and register with it; does nothing the second time.

    Raises:
        ConfigError: MMF is not installed.
    """
    global _registered
    if _registered:
        return
    if not mmf_installed():
        raise ConfigError("MMF is not installed; type: cmsbert install-mmf")
    _registered = True  # first: what follows imports MMF, whose import calls this
    try:
        with _without_garbage_collection():
            from mmf_cmsbert import compat

            compat.activate()
            for name in _REGISTERED:
                import_module(f"mmf_cmsbert.{name}")
    except BaseException:
        _registered = False
        raise


def mmf_installed() -> bool:
    """Whether MMF can be found. Imports nothing."""
    return find_spec("mmf") is not None


class _MMFFinder(MetaPathFinder):
    """Finds MMF like the finders after it; loading what it finds also registers this package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in ("mmf", "mmf_cli"):
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if isinstance(spec.loader, SourceFileLoader):
                    spec.loader = _MMFLoader(spec.loader.name, spec.loader.path)
                return spec
        return None


class _MMFLoader(SourceFileLoader):
    """Loads MMF's package with the patches of the libraries in place, then registers."""

    def exec_module(self, module: ModuleType) -> None:
        with _without_garbage_collection():
            from mmf_cmsbert import compat

            compat.prepare(loading=module.__name__)
            compat.imports.execute(self, module)
            register()


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Import without garbage collection, and exclude the imported objects from later collections.

    Half a million objects that all stay would cost a quarter of the imports' time, and 0.3 s more
    after each evaluation, where MMF collects.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
