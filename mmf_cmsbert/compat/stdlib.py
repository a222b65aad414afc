"""Python's own library, as rc10 takes it to be.

`collections.Mapping`, which rc10's logger asks for, has left it. rc10 looks for "models" and
"trainer" anywhere in the paths of its files to know what is in them: it cannot be imported from
within a folder with such a name.
"""

import collections
import collections.abc
import glob
import os
from importlib.util import find_spec

from mmf_cmsbert.compat import imports, mmf_line

# How rc10 spells its own folder when it lists what is below.
_MMF = os.sep + os.path.join("mmf", "utils", "..", "")


def activate() -> None:
    if not hasattr(collections, "Mapping"):
        facade = imports.facade(collections, Mapping=collections.abc.Mapping)
        imports.replace_module("collections", facade)
    if misread(find_spec("mmf").origin) and not mmf_line.is_main():
        imports.replace_module("glob", imports.facade(glob, glob=below_mmf))


def misread(path: str) -> bool:
    """Whether rc10 takes every file of that folder for a model or a trainer."""
    return any(word in path for word in ("models", "trainer"))


def below_mmf(pattern: str, **options: bool) -> list[str]:
    """The files that `glob.glob` finds; MMF's own without the folders that it lies in."""
    found = glob.glob(pattern, **options)
    return [os.path.join("mmf", p.rpartition(_MMF)[2]) if _MMF in p else p for p in found]
