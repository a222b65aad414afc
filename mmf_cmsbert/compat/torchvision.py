"""torchvision is optional: MMF imports it everywhere, and needs it where it looks at images."""

import sys

from mmf_cmsbert.compat import stand_in


def activate() -> None:
    error = stand_in.import_error("torchvision")
    if error is None:
        return
    if getattr(error, "name", None) != "torchvision":
        # One that was built for another torch breaks transformers and torchmetrics too, which ask
        # whether it is there and then import it. None is Python's mark for an absent module.
        sys.modules["torchvision"] = None
    # MMF makes a dataset's image transforms also where the run reads features instead of images.
    stand_in.serve_in_place_of("torchvision", advice, error, made_early="torchvision.transforms")


def advice() -> str:
    """What to type. Release 2.x of torch goes with release 0.(x + 15) of torchvision."""
    import torch

    major, minor = torch.__version__.split(".")[:2]
    wanted = f"torchvision==0.{int(minor) + 15}.*" if major == "2" else "torchvision"
    return f"It goes with torch {torch.__version__}: pip install '{wanted}'"
