"""A loss gets its params even if its name begins with `multi`."""

import pytest
import torch
from omegaconf import OmegaConf


@pytest.fixture
def configured(toy):
    """rc10's losses read whether the run predicts."""
    from mmf.common.registry import registry

    registry.register("config", OmegaConf.create({"evaluation": {"predict": False}}))


@pytest.fixture
def made(configured, monkeypatch):
    """Let MMF build a loss `multiple_of` from a model's list of losses; return its arguments."""
    from mmf.common.registry import registry
    from mmf.modules.losses import Losses

    class MultipleOf(torch.nn.Module):
        def __init__(self, factor=1):
            super().__init__()
            self.factor = factor

        def forward(self, sample_list, model_output):
            return model_output["scores"].sum() * self.factor

    monkeypatch.setitem(registry.mapping["loss_name_mapping"], "multiple_of", MultipleOf)

    def make(entry):
        losses = Losses(OmegaConf.create([entry]))
        (wrapper,) = losses.losses
        return wrapper.loss_criterion.factor

    return make


@pytest.mark.parametrize(
    ("entry", "factor"),
    [
        ({"type": "multiple_of", "params": {"factor": 3}}, 3),
        ({"type": "multiple_of"}, 1),
        ("multiple_of", 1),
    ],
)
def test_a_loss_whose_name_begins_with_multi(made, entry, factor):
    assert made(entry) == factor


def test_the_loss_multi_of_mmf_gets_what_it_wants(configured):
    from mmf.modules.losses import Losses

    parts = [{"type": "logit_bce", "weight": 0.3, "params": {}}]
    losses = Losses(OmegaConf.create([{"type": "multi", "params": parts}]))
    (wrapper,) = losses.losses
    assert wrapper.loss_criterion.losses_weights == [0.3]
