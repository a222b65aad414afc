"""demjson, which parses MMF's option ``--config_override``; demjson3 is used instead."""

from importlib import import_module
from types import ModuleType

from mmf_cmsbert.compat import imports, stand_in
from mmf_cmsbert.compat.patch import patch


@patch(
    "demjson",
    why="demjson does not install on Python 3; demjson3 reads the same JSON dialect.",
    remove_when="MMF reads --config_override with another library.",
)
def use_successor() -> bool:
    error = stand_in.import_error("demjson")
    if error is None:
        return False
    if stand_in.import_error("demjson3") is None:
        imports.replace_module("demjson", library())
    else:
        stand_in.replace_missing("demjson", advice, error)
    return True


def library() -> ModuleType:
    """Return demjson, or its successor.

    Raises:
        MissingLibraryError: neither is installed.
    """
    for name in ("demjson", "demjson3"):
        if stand_in.import_error(name) is None:
            return import_module(name)
    raise stand_in.MissingLibraryError(f"--config_override needs demjson3. {advice()}")


def advice() -> str:
    """Return what to type."""
    return "Type pip install demjson3"
