"""The trainers of the installed line of MMF, and their replacement by others."""

import sys

from mmf.common.registry import registry

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import line
from mmf_cmsbert.compat.patch import patch


def installed() -> dict[str, type]:
    """Return the corrected trainers of the installed line: name -> class."""
    return dict(line.part("trainer").TRAINERS)


def replace(name: str, trainer: type) -> None:
    """Register a trainer under a name, and replace MMF's class in the modules that import it."""
    replaced = registry.get_trainer_class(name)
    registry.register_trainer(name)(trainer)
    if replaced is None or not replaced.__module__.startswith("mmf."):
        return

    @patch(
        f"{replaced.__module__}.{replaced.__name__}",
        line.installed(),
        why="Plugins import MMF's trainer to derive their own, which would have MMF's faults and "
        "ignore keys such as training.precision.",
        remove_when="MMF's trainer needs no corrections.",
    )
    def imported_class() -> None:
        module = sys.modules[replaced.__module__]
        imports.replace_function(module, replaced.__name__, lambda original: trainer)

    imported_class.apply()
