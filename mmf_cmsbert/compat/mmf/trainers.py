"""MMF's trainers: which there are on the installed line, and others under their names."""

import sys

from mmf.common.registry import registry

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import line
from mmf_cmsbert.compat.patch import patch


def of_line() -> dict[str, type]:
    """The trainers of the installed line without its faults: name -> class."""
    return dict(line.part("trainer").TRAINERS)


def serve(name: str, trainer: type) -> None:
    """Register a trainer under a name, also for those who import the class that had it."""
    replaced = registry.get_trainer_class(name)
    registry.register_trainer(name)(trainer)
    if replaced is None or not replaced.__module__.startswith("mmf."):
        return

    @patch(
        f"{replaced.__module__}.{replaced.__name__}",
        line.installed(),
        why="Plugins import MMF's trainer to derive one of their own, which would have MMF's "
        "faults again, and ignore keys such as training.precision.",
        remove_when="nothing of MMF's trainer is mended.",
    )
    def imported_class() -> None:
        module = sys.modules[replaced.__module__]
        imports.replace_function(module, replaced.__name__, lambda original: trainer)

    imported_class.apply()
