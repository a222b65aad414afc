"""torchvision is optional: MMF imports it everywhere, and needs it where it looks at images."""

import sys
from importlib import import_module, metadata

from mmf_cmsbert.compat import imports, stand_in


def activate() -> None:
    error = stand_in.import_error("torchvision")
    if error is None:
        _keep_importable()
        return
    if getattr(error, "name", None) != "torchvision":
        # One that was built for another torch breaks transformers and torchmetrics too, which ask
        # whether it is there and then import it. None is Python's mark for an absent module.
        sys.modules["torchvision"] = None
        _hide_metadata()  # by which torchmetrics, of MMF's main line, goes
        _forget_answers()
    # MMF makes a dataset's image transforms also where the run reads features instead of images.
    stand_in.serve_in_place_of("torchvision", advice, error, made_early="torchvision.transforms")


def _keep_importable() -> None:
    # Main imports it with its datasets, and only charades, which holds videos, ever calls it.
    if stand_in.import_error("torchvision.io") is not None:
        return
    io = import_module("torchvision.io")
    if not hasattr(io, "read_video"):
        name = "torchvision.io.read_video"
        error = ImportError("the installed release reads no videos")
        gone = stand_in.StandIn(name, lambda: "Videos are read by torchvision up to 0.25", error)
        imports.replace_module("torchvision.io", imports.facade(io, read_video=gone))


def _hide_metadata() -> None:
    original = metadata.Distribution.from_name

    def from_name(cls: type, name: str) -> metadata.Distribution:
        if name == "torchvision":
            raise metadata.PackageNotFoundError(name)
        return original(name)

    metadata.Distribution.from_name = classmethod(from_name)


def _forget_answers() -> None:
    # An attempt to import MMF main without this layer has asked transformers already.
    asked = sys.modules.get("transformers.utils.import_utils")
    for value in list(vars(asked).values()) if asked else ():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def advice() -> str:
    """What to type. Release 2.x of torch goes with release 0.(x + 15) of torchvision."""
    import torch

    major, minor = torch.__version__.split(".")[:2]
    wanted = f"torchvision==0.{int(minor) + 15}.*" if major == "2" else "torchvision"
    return f"It goes with torch {torch.__version__}: pip install '{wanted}'"
