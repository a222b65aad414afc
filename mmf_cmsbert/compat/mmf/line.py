"""Which line of MMF is installed: 1.0.0rc10, or main, which calls itself 1.0.0rc12."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


@cache
def is_main() -> bool:
    """Whether it is main, whose trainer has a file of its own. Imports nothing of MMF."""
    return (Path(find_spec("mmf").origin).parent / "trainers" / "mmf_trainer.py").exists()


def installed() -> str:
    """The installed line: ``main`` or ``rc10``."""
    return "main" if is_main() else "rc10"


def other() -> str:
    """The line that is not installed."""
    return "rc10" if is_main() else "main"


def part(name: str) -> ModuleType:
    """The module of this name in the package of the installed line."""
    return import_module(f"mmf_cmsbert.compat.mmf.{installed()}.{name}")
