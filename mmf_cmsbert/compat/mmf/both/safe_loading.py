"""Checkpoints are loaded without executing what they contain."""

import torch
from mmf.utils import checkpoint as mmf_checkpoint

from mmf_cmsbert.checkpoints import contents
from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch


@patch(
    "mmf.utils.checkpoint.torch",
    why="MMF loads checkpoints with pickle, which executes what a file says. This affects "
    "checkpoint.resume*, from_pretrained and the model zoo.",
    remove_when="MMF loads with weights_only=True.",
)
def load_safely() -> None:
    # A facade for this module: other callers of torch.load are unaffected.
    mmf_checkpoint.torch = imports.facade(torch, load=contents.load)
