"""Pretrained models are loaded without executing code, or refused in one message."""

import os

import pytest
import torch

from mmf_cmsbert.errors import UserError


def test_a_folder_without_a_checkpoint_is_no_pretrained_model(mmf, tmp_path):
    from mmf.utils.checkpoint import load_pretrained_model

    with pytest.raises(UserError, match=r"cannot be loaded \(AssertionError: None or multiple"):
        load_pretrained_model(str(tmp_path))


def test_from_pretrained_executes_nothing(toy, tmp_path):
    from mmf.utils.checkpoint import load_pretrained_model

    class Program:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    zoo = tmp_path / "toy_model"
    zoo.mkdir()
    weights = {"weight": torch.ones(1)}
    torch.save({"model": weights, "config": {"toy_model": {"x": 1}}}, zoo / "model.pth")
    assert load_pretrained_model(str(zoo))["config"] == {"x": 1}
    torch.save({"model": Program()}, zoo / "model.pth")
    with pytest.raises(UserError, match=r"model\.pth holds posix\.mkdir"):
        load_pretrained_model(str(zoo))
    assert not (tmp_path / "executed").exists()
