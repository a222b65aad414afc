"""demjson (for `--config_override`) no longer installs; demjson3 is the same under a new name."""

from importlib import import_module
from types import ModuleType

from mmf_cmsbert.compat import imports, stand_in


def activate() -> None:
    error = stand_in.import_error("demjson")
    if error is None:
        return
    if stand_in.import_error("demjson3") is None:
        imports.replace_module("demjson", library())
    else:
        stand_in.serve_in_place_of("demjson", advice, error)


def library() -> ModuleType:
    """demjson, or its successor.

    Raises:
        MissingLibraryError: there is neither
    """
    for name in ("demjson", "demjson3"):
        if stand_in.import_error(name) is None:
            return import_module(name)
    raise stand_in.MissingLibraryError(f"--config_override is read by demjson. {advice()}")


def advice() -> str:
    """What to type."""
    return "Its successor serves: pip install demjson3"
