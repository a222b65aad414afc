"""A registered shift can be selected by ``shift.context``."""

import pytest
import torch
from network_configs import network_config

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules import SentimentNetwork, Shift, UtteranceShift, register_shift
from mmf_cmsbert.modules.backbone import load_backbone
from mmf_cmsbert.modules.shifts import registry

KEY = "model_config.cmsbert.shift.context"
BERT = {
    "model_type": "bert",
    "vocab_size": 30,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Unregister shifts after each test."""
    monkeypatch.setattr(registry, "_shifts", dict(registry._shifts))


class Constant(Shift):
    """Shifts each word by a vector of ones if the segment has any frame."""

    @classmethod
    def from_settings(cls, settings, dim, widths):
        return cls(dim, settings.shift.beta, settings.shift.dropout, cls.start(settings))

    def forward(self, states, mask, frames, frame_masks):
        there = torch.stack([each.any(1) for each in frame_masks.values()]).any(0)
        return self.displace(states, torch.ones_like(states) * there[:, None, None])


def test_the_network_shifts_by_it():
    register_shift("constant")(Constant)
    settings = network_config(shift_context="constant", frame_dim=8, frame_heads=2, pooling="mean")
    assert Constant.start(settings) == "identity"
    torch.manual_seed(0)
    backbone = load_backbone(from_config=BERT)
    network = SentimentNetwork(backbone, {"visual": {"mosi": 5}}, settings).eval()
    ids = torch.randint(5, 30, (2, 4))
    mask = torch.ones_like(ids)
    frames = {"visual": torch.randn(2, 2, 5)}
    there = {"visual": torch.tensor([[True, True], [False, False]])}
    output = network(ids, mask, mask - 1, frames, there, "mosi")

    words = backbone.embeddings(ids)
    alpha = (words.norm(dim=-1, keepdim=True) / 4).clamp(max=1)  # 16 ones have the length 4
    words = words + alpha * torch.tensor([1.0, 0.0])[:, None, None]
    expected = network.head(backbone.encoder(words).last_hidden_state.mean(1))
    torch.testing.assert_close(output.logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["sentence", ["utterance"], None, True])
def test_an_unknown_shift_is_named_with_the_choices(name):
    register_shift("constant")(Constant)
    with pytest.raises(ConfigError) as error:
        registry.shift_named(name, KEY)
    assert str(error.value) == (
        f"{KEY} is {name!r}; expected one of utterance, word, constant, none, or a shift "
        "registered by the package in env.user_dir"
    )


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("utterance", "the shift mmf_cmsbert.modules.shifts.utterance.UtteranceShift"),
        ("none", "the choice of no shift"),
    ],
)
def test_a_name_that_is_taken_is_refused(name, by):
    with pytest.raises(ConfigError, match=rf"Constant: the name '{name}' is taken by {by}; "):
        register_shift(name)(Constant)
    assert registry.shift_named("utterance", KEY) is UtteranceShift


def test_a_class_whose_file_is_imported_again_replaces_itself():
    register_shift("constant")(Constant)
    again = type("Constant", (Constant,), {"__qualname__": "Constant"})
    assert register_shift("constant")(again) is again
    assert registry.shift_named("constant", KEY) is again


def test_only_shifts_are_registered():
    with pytest.raises(ConfigError, match="not a subclass of mmf_cmsbert.modules.Shift"):
        register_shift("linear")(torch.nn.Linear)
