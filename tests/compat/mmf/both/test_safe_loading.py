"""MMF's checkpoint module loads the files that it saves, without executing code."""

import torch
from omegaconf import OmegaConf


def test_what_mmf_saves_holds_plain_values(mmf, tmp_path):
    from mmf.utils import checkpoint

    steps = OmegaConf.create({"steps": [10, 20]}).steps  # as in the state of MMF's schedules
    weights = {"model": {"weight": torch.ones(2)}, "lr_scheduler": {"lr_steps": steps, "f": len}}
    checkpoint.torch.save(weights, tmp_path / "x.ckpt")
    for load in (checkpoint.torch.load, torch.load):
        found = load(tmp_path / "x.ckpt")
        assert (
            found["lr_scheduler"] == {"lr_steps": [10, 20]} and found["model"]["weight"].sum() == 2
        )
