"""Everything that this package has, made known to MMF."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec

from mmf_cmsbert.errors import ConfigError

MMF_INSTALLED = find_spec("mmf") is not None
# Importing one of these registers what is in it.
_REGISTERED = (
    "datasets.builders",
    "losses.registered",
    "metrics.registered",
    "models.cmsbert",
    "processors.frames_as_regions",
    "processors.registered",
    "trainers.schedule",
)
_registered = False


def register() -> None:
    """Put MMF on today's libraries and register with it; does nothing the second time.

    Raises:
        ConfigError: MMF is not installed.
    """
    if not MMF_INSTALLED:
        raise ConfigError("MMF is not installed; the README's section on set-up says how")
    global _registered
    if _registered:
        return
    with _uncollected():
        from mmf_cmsbert import compat

        compat.activate()
        for name in _REGISTERED:
            import_module(f"mmf_cmsbert.{name}")
    _registered = True


@contextmanager
def _uncollected() -> Iterator[None]:
    """Import without looking for garbage, and leave what was imported out of later looks.

    Among half a million objects that all stay, looking takes a quarter of the imports' time, and
    0.3 s more after each evaluation, where MMF asks for it.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
