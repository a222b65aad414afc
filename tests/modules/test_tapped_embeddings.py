"""Embeddings computed from a network's parts."""

import copy
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmf_cmsbert.modules.tapped_embeddings import TappedEmbeddings


class Network(nn.Module):
    """A network of two parts that return `outputs` for any input."""

    def __init__(self, **outputs):
        super().__init__()
        self.base = nn.ModuleDict({name: nn.Identity() for name in outputs})
        self.outputs = outputs

    def forward(self):
        for name, output in self.outputs.items():
            self.base[name](output)


def tapped(network, width=4):
    parts = {name: f"base.{name}" for name in network.outputs}
    return TappedEmbeddings(network, parts, dict.fromkeys(parts, width), dim=2)


def projected(embeddings, name, state):
    layer = embeddings.projections[name]
    return state @ layer.weight.T + layer.bias


def test_one_state_a_segment_is_projected():
    state = torch.rand(3, 4)
    network = Network(text=state)
    embeddings = tapped(network)
    network()
    found = embeddings({"text": torch.ones(3, 7).bool()})["text"]
    torch.testing.assert_close(found, projected(embeddings, "text", state))


def test_states_of_positions_are_averaged_under_their_mask():
    states = torch.rand(3, 5, 4)
    mask = torch.arange(5) < torch.tensor([[5], [2], [0]])
    network = Network(visual=states)
    embeddings = tapped(network)
    network()
    means = torch.stack([states[0].mean(0), states[1, :2].mean(0), torch.zeros(4)])
    found = embeddings({"visual": mask})["visual"]
    torch.testing.assert_close(found, projected(embeddings, "visual", means))
    network()
    torch.testing.assert_close(
        embeddings({})["visual"], projected(embeddings, "visual", states.mean(1))
    )


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: (state, None),
        lambda state: (torch.rand(3, 7, 4), state),
        lambda state: (state[:, None], None),
        lambda state: SimpleNamespace(pooler_output=state, last_hidden_state=None),
        lambda state: SimpleNamespace(pooler_output=None, last_hidden_state=state),
    ],
)
def test_outputs_of_more_than_a_tensor(wrap):
    state = torch.rand(3, 4)
    network = Network(text=wrap(state))
    embeddings = tapped(network)
    network()
    torch.testing.assert_close(embeddings({})["text"], projected(embeddings, "text", state))


def test_gradients_reach_the_network_and_the_projections():
    state = torch.rand(3, 4, requires_grad=True)
    network = Network(text=state)
    embeddings = tapped(network)
    network()
    embeddings({})["text"].sum().backward()
    assert state.grad.abs().sum() > 0
    assert embeddings.projections["text"].weight.grad.abs().sum() > 0


def test_a_copy_listens_to_its_own_network():
    network = Network(text=torch.rand(3, 4))
    network.embeddings = tapped(network)
    twin = copy.deepcopy(network)
    twin()
    assert twin.embeddings({})["text"].shape == (3, 2)
    with pytest.raises(ValueError, match="did not use its part 'base.text'"):
        network.embeddings({})


@pytest.mark.parametrize(
    ("output", "mask", "message"),
    [
        (torch.rand(3, 5), None, "'base.text' are 5 wide, expected 4"),
        (torch.rand(3, 6, 4), torch.ones(3, 5).bool(), "gives 6 positions, expected 5"),
        (torch.rand(4), None, r"gives \(4,\), expected \(batch, width\)"),
        ("words", None, "gives str"),
    ],
)
def test_states_of_another_shape(output, mask, message):
    network = Network(text=output)
    embeddings = tapped(network)
    network()
    with pytest.raises(ValueError, match=message):
        embeddings({} if mask is None else {"text": mask})


def test_a_part_that_is_not_there():
    with pytest.raises(ValueError, match="no part 'base.words'; of its parts, .*base.text"):
        TappedEmbeddings(Network(text=None), {"text": "base.words"}, {"text": 4}, 2)
