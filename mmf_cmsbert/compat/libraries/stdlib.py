"""Changes of Python's standard library that affect rc10."""

import collections
import collections.abc
import glob
import os
from importlib.util import find_spec
from typing import Any

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch

# rc10's name for its folder when it lists its files.
_MMF = os.sep + os.path.join("mmf", "utils", "..", "")


@patch(
    "collections.Mapping",
    "rc10",
    why="Python 3.10 removed collections.Mapping; MMF's logger imports it.",
    remove_when="support for rc10 ends.",
)
def restore_mapping() -> bool:
    if hasattr(collections, "Mapping"):
        return False
    facade = imports.facade(collections, Mapping=collections.abc.Mapping)
    imports.replace_module("collections", facade)
    return True


@patch(
    "glob.glob",
    "rc10",
    why="MMF takes a file for a model or trainer if `models` or `trainer` is anywhere in its path, "
    "and fails to import from a folder with such a name.",
    remove_when="support for rc10 ends.",
)
def hide_folders_above_mmf() -> bool:
    package = find_spec("mmf")
    if package is None or not misread(str(package.origin)):
        return False
    imports.replace_module("glob", imports.facade(glob, glob=below_mmf))
    return True


def misread(path: str) -> bool:
    """Return whether rc10 takes every file of that folder for a model or a trainer."""
    return any(word in path for word in ("models", "trainer"))


def below_mmf(pattern: str, **options: Any) -> list[str]:
    """Call `glob.glob`, and make the paths of MMF's files relative: `mmf/...`."""
    found = glob.glob(pattern, **options)
    return [os.path.join("mmf", p.rpartition(_MMF)[2]) if _MMF in p else p for p in found]
