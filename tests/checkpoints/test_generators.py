"""The states of random number generators are saved in a checkpoint and restored."""

import random

import numpy as np
import torch


def draw():
    return random.random(), random.gauss(0, 1), np.random.randn(), torch.rand(2).tolist()


def test_restored_generators_draw_the_same(tmp_path):
    from mmf_cmsbert.checkpoints import generators

    draw()  # leaves half of a pair of normal numbers behind
    torch.save(generators.capture(), tmp_path / "state.ckpt")
    drawn = draw()
    draw()
    generators.restore(torch.load(tmp_path / "state.ckpt", weights_only=True))
    assert draw() == drawn
