"""Load checkpoints without executing code in them, and save them accordingly."""

from typing import Any

import torch
from mmf.utils import checkpoint as mmf_checkpoint

from mmf_cmsbert.checkpoints import contents, file
from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.utils.checkpoint.torch.{load,save}",
    why="MMF loads checkpoints with pickle, which can execute code in the file. This affects "
    "checkpoint.resume*, from_pretrained and the model zoo. It saves functions and configuration "
    "objects, which can only be loaded in this way.",
    remove_when="MMF loads with weights_only=True.",
)
def load_safely() -> None:
    # Only this module of MMF gets the facade.
    mmf_checkpoint.torch = imports.facade(torch, load=contents.load, save=_save_plain)


def _save_plain(obj: Any, target: Any) -> None:
    schedule = obj.get("lr_scheduler") if isinstance(obj, dict) else None
    if isinstance(schedule, dict):
        # MMF's schedules contain the function that computes them; a resumed run has its own.
        kept = {name: value for name, value in schedule.items() if not callable(value)}
        obj = {**obj, "lr_scheduler": kept}
    torch.save(file.plain(obj), target)
