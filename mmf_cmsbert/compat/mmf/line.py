"""The installed line of MMF: 1.0.0rc10, or main, which calls itself 1.0.0rc12."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Literal


@cache
def is_main() -> bool:
    """Return whether main is installed, which has the file mmf_trainer.py; imports no MMF."""
    package = find_spec("mmf")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("No module named 'mmf'")
    return (Path(package.origin).parent / "trainers" / "mmf_trainer.py").exists()


def installed() -> Literal["main", "rc10"]:
    """Return the installed line."""
    return "main" if is_main() else "rc10"


def other() -> Literal["main", "rc10"]:
    """Return the line that is not installed."""
    return "rc10" if is_main() else "main"


def part(name: str) -> ModuleType:
    """Import the module of this name from the package of the installed line."""
    return import_module(f"mmf_cmsbert.compat.mmf.{installed()}.{name}")
