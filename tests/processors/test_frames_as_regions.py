"""The processor that converts frames to regions, built by MMF."""

import numpy as np
import pytest

import mmf_cmsbert  # noqa: F401  (first: it makes MMF importable on today's libraries)

pytest.importorskip("mmf", reason="MMF is not installed")

from mmf.datasets.processors.processors import Processor
from omegaconf import OmegaConf

from mmf_cmsbert.errors import ConfigError


def make(**params):
    return Processor(OmegaConf.create({"type": "frames_as_regions", "params": params}), key="here")


def test_it_takes_the_frames_of_its_modality():
    frames = {"visual": np.zeros((1, 2), np.float32), "acoustic": np.ones((1, 3), np.float32)}
    fields = make(modality="acoustic", count=2)(frames)
    assert fields["image_feature_0"].tolist() == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"modality": "a face", "count": 2}, "here.modality names a modality 'a face'; expected"),
        ({"count": 2}, "here.modality is None"),
        ({"modality": "visual", "count": 0}, "here.count is 0; expected the number of"),
        ({"modality": "visual"}, "here.count is None"),
        ({"modality": "visual", "counts": 2}, "Did you mean here.count"),
    ],
)
def test_what_it_cannot_follow(params, message):
    with pytest.raises(ConfigError, match=message):
        make(**params)
