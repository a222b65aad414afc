import pytest
import torch

from mmf_cmsbert.errors import ConfigError


def test_one_step_equals_the_formula(mmf):
    from mmf.common.registry import registry

    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimizer = registry.get_optimizer_class("adam_w")([weight], lr=0.1, correct_bias=True)
    weight.grad = torch.tensor([0.5, 0.25])
    optimizer.step()
    # the first step with corrected averages: lr * g / (|g| + eps)
    expected = [1.0 - 0.1 * 0.5 / (0.5 + 1e-6), -2.0 - 0.1 * 0.25 / (0.25 + 1e-6)]
    torch.testing.assert_close(weight.data, torch.tensor(expected))


def test_weight_decay_is_off_unless_asked_for_as_it_was(mmf):
    from mmf_cmsbert.compat.libraries.adamw import AdamW

    weight = torch.nn.Parameter(torch.ones(1))
    weight.grad = torch.zeros(1)
    AdamW([weight], lr=0.1).step()
    assert weight.item() == 1.0
    AdamW([weight], lr=0.1, weight_decay=0.5).step()
    assert weight.item() == pytest.approx(0.95)


def test_fused_it_gives_the_same_weights(mmf):
    from mmf_cmsbert.compat.libraries.adamw import AdamW

    trained = []
    for fused in (False, True):
        torch.manual_seed(0)
        weight = torch.nn.Parameter(torch.randn(20))
        optimizer = AdamW([weight], lr=0.1, weight_decay=0.1, fused=fused)
        for _ in range(5):
            weight.grad = torch.randn(20)
            optimizer.step()
        trained.append(weight.detach())
    torch.testing.assert_close(trained[1], trained[0], rtol=1e-5, atol=1e-6)


def test_what_torch_does_not_have_is_refused():
    from mmf_cmsbert.compat.libraries.adamw import AdamW

    with pytest.raises(ConfigError, match="correct_bias"):
        AdamW([torch.nn.Parameter(torch.ones(1))], correct_bias=False)
