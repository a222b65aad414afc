"""torchvision is optional, because MMF only uses it for images and videos."""

import sys
from importlib import import_module, metadata
from typing import Any

from mmf_cmsbert.compat import imports, stand_in
from mmf_cmsbert.compat.patch import patch


@patch(
    "torchvision",
    why="MMF always imports torchvision, but uses it only for images.",
    remove_when="torchvision is installed for the installed torch.",
)
def make_optional() -> bool:
    error = stand_in.import_error("torchvision")
    if error is None:
        return False
    if getattr(error, "name", None) != "torchvision":
        # A torchvision built for another torch also breaks transformers and torchmetrics, which
        # find it and then import it. None marks a module as missing.
        modules: dict[str, Any] = sys.modules
        modules["torchvision"] = None
        _hide_metadata()  # read by torchmetrics, which main imports
        _clear_caches()
    # MMF creates a dataset's image transforms even if the run reads features instead of images.
    stand_in.replace_missing("torchvision", advice, error, made_early="torchvision.transforms")
    return True


@patch(
    "torchvision.io.read_video",
    why="torchvision 0.26 removed read_video; main, and plugins written for it, import it.",
    remove_when="MMF imports it where it reads videos, in charades.",
)
def keep_importable() -> bool:
    if any(stand_in.import_error(name) for name in ("torchvision", "torchvision.io")):
        return False
    io = import_module("torchvision.io")
    if hasattr(io, "read_video"):
        return False
    error = ImportError("the installed release cannot read videos")
    removed = stand_in.StandIn(
        "torchvision.io.read_video", lambda: "Videos need torchvision 0.25 or older", error
    )
    imports.replace_module("torchvision.io", imports.facade(io, read_video=removed))
    return True


def _hide_metadata() -> None:
    original = metadata.Distribution.from_name

    def from_name(cls: type, name: str) -> metadata.Distribution:
        if name == "torchvision":
            raise metadata.PackageNotFoundError(name)
        return original(name)

    distribution: Any = metadata.Distribution
    distribution.from_name = classmethod(from_name)


def _clear_caches() -> None:
    # A failed import of main without the patches may have filled the caches of transformers.
    module = sys.modules.get("transformers.utils.import_utils")
    for value in list(vars(module).values()) if module else ():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def advice() -> str:
    """Return what to type. torch 2.x needs torchvision 0.(x + 15)."""
    import torch

    major, minor = torch.__version__.split(".")[:2]
    wanted = f"torchvision==0.{int(minor) + 15}.*" if major == "2" else "torchvision"
    return f"For torch {torch.__version__}: pip install '{wanted}'"
