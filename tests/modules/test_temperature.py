"""The temperature has the configured start and stays within its bounds."""

import pytest
import torch

from mmf_cmsbert.modules.temperature import Temperature


def test_starts_at_its_value_and_is_clamped():
    temperature = Temperature(0.07)
    assert temperature().item() == pytest.approx(0.07)
    with torch.no_grad():
        temperature.log.fill_(10.0)
    assert temperature().item() == pytest.approx(0.5)
    with torch.no_grad():
        temperature.log.fill_(-10.0)
    assert temperature().item() == pytest.approx(0.01)


def test_comes_back_from_a_bound_that_an_update_carried_it_over():
    temperature = Temperature(0.07)
    with torch.no_grad():
        temperature.log.fill_(-10.0)
    optimizer = torch.optim.SGD(temperature.parameters(), lr=1.0)
    (-temperature()).backward()
    optimizer.step()
    assert temperature().item() > 0.01


def test_is_learned_only_where_asked():
    assert Temperature(learned=True).log.requires_grad
    assert not Temperature(learned=False).log.requires_grad
