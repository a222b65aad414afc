"""Everything that this package has, made known to MMF."""

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


def register() -> None:
    """Put MMF on today's libraries and register with it; does nothing the second time.

    Raises:
        ConfigError: MMF is not installed.
    """
    if not MMF_INSTALLED:
        raise ConfigError("MMF is not installed; the README's section on set-up says how")
    from mmf_cmsbert import compat

    compat.activate()
    for name in _REGISTERED:
        import_module(f"mmf_cmsbert.{name}")
