"""Python's standard library as rc10 expects it."""

import collections
import collections.abc
import glob
import os
from importlib.util import find_spec

from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch

# How rc10 spells its own folder when it lists what is below.
_MMF = os.sep + os.path.join("mmf", "utils", "..", "")


@patch(
    "collections.Mapping",
    "rc10",
    why="Python 3.10 removed collections.Mapping; MMF's logger imports it.",
    remove_when="support for rc10 ends.",
)
def serve_mapping() -> bool:
    if hasattr(collections, "Mapping"):
        return False
    facade = imports.facade(collections, Mapping=collections.abc.Mapping)
    imports.replace_module("collections", facade)
    return True


@patch(
    "glob.glob",
    "rc10",
    why="MMF decides by `models` or `trainer` anywhere in a file's path what the file holds, and "
    "fails to import from a folder with such a name.",
    remove_when="support for rc10 ends.",
)
def hide_folders_above_mmf() -> bool:
    if not misread(find_spec("mmf").origin):
        return False
    imports.replace_module("glob", imports.facade(glob, glob=below_mmf))
    return True


def misread(path: str) -> bool:
    """Whether rc10 takes every file of that folder for a model or a trainer."""
    return any(word in path for word in ("models", "trainer"))


def below_mmf(pattern: str, **options: bool) -> list[str]:
    """The files that `glob.glob` finds; those of MMF as relative paths, `mmf/...`."""
    found = glob.glob(pattern, **options)
    return [os.path.join("mmf", p.rpartition(_MMF)[2]) if _MMF in p else p for p in found]
