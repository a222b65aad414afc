"""The moving average of weights, compared with its formula."""

import copy

import synchronisations
import torch
from torch import nn

from mmf_cmsbert.modules.weight_average import WeightAverage, decay_at


def set_weight(network, value):
    with torch.no_grad():
        network.weight.fill_(value)


def test_follows_the_formula_with_its_warm_up():
    network = nn.Linear(1, 1, bias=False)
    set_weight(network, 1.0)
    average = WeightAverage(network, decay=0.2)
    # m_0 = min(0.2, 1/10) = 0.1: 0.1 * 1 + 0.9 * 2 = 1.9
    # m_1 = min(0.2, 2/11) = 2/11: 2/11 * 1.9 + 9/11 * 3 = 2.8
    # m_2 = min(0.2, 3/12) = 0.2: 0.2 * 2.8 + 0.8 * 4 = 3.76
    for value, expected in ((2.0, 1.9), (3.0, 2.8), (4.0, 3.76)):
        set_weight(network, value)
        average.update_parameters(network)
        torch.testing.assert_close(average.module.weight, torch.full((1, 1), expected))


def test_without_warm_up_the_decay_holds_from_the_first_update():
    network = nn.Linear(1, 1, bias=False)
    set_weight(network, 1.0)
    average = WeightAverage(network, decay=0.2, warm_up=False)
    # 0.2 * 1 + 0.8 * 2 = 1.8, 0.2 * 1.8 + 0.8 * 3 = 2.76
    for value, expected in ((2.0, 1.8), (3.0, 2.76)):
        set_weight(network, value)
        average.update_parameters(network)
        torch.testing.assert_close(average.module.weight, torch.full((1, 1), expected))


def test_the_decay_warms_up_to_its_limit():
    assert [decay_at(t, 0.99) for t in (0, 8, 10_000)] == [0.1, 0.5, 0.99]


def test_goes_on_exactly_from_its_state_dict():
    network = nn.Linear(3, 2)
    average = WeightAverage(network, decay=0.9)
    for _ in range(3):
        nn.init.normal_(network.weight)
        average.update_parameters(network)
    resumed = WeightAverage(nn.Linear(3, 2), decay=0.9)
    resumed.load_state_dict(copy.deepcopy(average.state_dict()))
    nn.init.normal_(network.weight)
    average.update_parameters(network)
    resumed.update_parameters(network)
    assert torch.equal(average.module.weight, resumed.module.weight)


def test_takes_no_gradient_and_stays_in_evaluation_mode():
    average = WeightAverage(nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5)), decay=0.9)
    average.train()
    assert not average.module[1].training
    assert not any(p.requires_grad for p in average.parameters())


def test_the_network_keeps_its_gradients():
    network = nn.Linear(2, 2)
    WeightAverage(network, decay=0.9)
    assert all(p.requires_grad for p in network.parameters())


def test_an_update_does_not_wait_for_the_device():
    network = nn.Linear(2, 2)
    average = WeightAverage(network, decay=0.9)
    average.update_parameters(network)  # reads its count once
    waits = synchronisations.count(lambda: average.update_parameters(network), torch.device("cpu"))
    assert not waits and average.n_averaged == 3


def test_the_count_that_is_loaded_is_used():
    network = nn.Linear(1, 1, bias=False)
    average = WeightAverage(network, decay=0.99)
    average.update_parameters(network)
    late = copy.deepcopy(average.state_dict())
    late["n_averaged"].fill_(100_000)
    late["module.weight"].fill_(0.0)
    average.load_state_dict(late)
    set_weight(network, 1.0)
    average.update_parameters(network)
    torch.testing.assert_close(average.module.weight, torch.full((1, 1), 0.01))
