"""Checkpoints are loaded without executing what they contain, and saved so that they can be."""

from typing import Any

import torch
from mmf.utils import checkpoint as mmf_checkpoint

from mmf_cmsbert.checkpoints import contents, file
from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.utils.checkpoint.torch.{load,save}",
    why="MMF loads checkpoints with pickle, which executes what a file says. This affects "
    "checkpoint.resume*, from_pretrained and the model zoo. It saves functions and parts of "
    "configurations as objects, which only such loading restores.",
    remove_when="MMF loads with weights_only=True.",
)
def load_safely() -> None:
    # A facade for this module: other callers of torch.load are unaffected.
    mmf_checkpoint.torch = imports.facade(torch, load=contents.load, save=_save_plain)


def _save_plain(obj: Any, target: Any) -> None:
    schedule = obj.get("lr_scheduler") if isinstance(obj, dict) else None
    if isinstance(schedule, dict):
        # MMF's schedules keep the function that computes them, which a resumed run has itself.
        kept = {name: value for name, value in schedule.items() if not callable(value)}
        obj = {**obj, "lr_scheduler": kept}
    torch.save(file.plain(obj), target)
