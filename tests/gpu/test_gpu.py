"""On a GPU: the numbers of a CPU, in every way to compute, and no waits in a step.

CMSBERT_TEST_DEVICE=cpu runs the same tests on a CPU.
"""

import os

import pytest
import step_variants
import synchronisations
import torch
from small_predictor import made

from mmf_cmsbert.modules.precision import Precision
from mmf_cmsbert.paths import PACKAGE

DEVICE = torch.device(os.environ.get("CMSBERT_TEST_DEVICE", "cuda"))
pytestmark = pytest.mark.skipif(
    DEVICE.type == "cuda" and not torch.cuda.is_available(), reason="there is no GPU"
)
LENGTHS = [3, 12, 7, 30]
SMALL = str(PACKAGE / "projects/cmsbert/demo")
BY_LENGTH = [1, 3, "packed", "auto"]


def steps(device, variant, count=2):
    """Return a network's output before, and its weights after some steps without dropout."""
    bench = step_variants.Workbench(SMALL, device)
    batch = bench.batch(LENGTHS, False)
    network = bench._network(variant)
    for module in network.modules():
        if hasattr(module, "p"):
            module.p = 0.0
    network.eval()
    with torch.no_grad():
        output = step_variants._compute(network, batch).logits.cpu()
    for _ in range(count):
        bench.train(variant, batch)
    return output, {name: weight.detach().cpu() for name, weight in network.named_parameters()}


@pytest.fixture(scope="module")
def on_a_cpu():
    return steps("cpu", step_variants.Variant("cms", length_groups=1))


@pytest.mark.parametrize("length_groups", BY_LENGTH)
def test_outputs_and_weights_are_those_of_a_cpu(length_groups, on_a_cpu):
    output, weights = steps(DEVICE, step_variants.Variant("cms", length_groups=length_groups))
    torch.testing.assert_close(output, on_a_cpu[0], rtol=1e-4, atol=1e-4)
    for name, weight in weights.items():
        torch.testing.assert_close(weight, on_a_cpu[1][name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("length_groups", [1, "packed"])
@pytest.mark.parametrize("precision", ["bf16", "tf32", "fp16"])
def test_lower_precisions_are_close(precision, length_groups, on_a_cpu):
    if DEVICE.type == "cpu" and precision != "bf16":
        pytest.skip(f"{precision} needs a GPU")
    variant = step_variants.Variant("cms", length_groups=length_groups, precision=precision)
    bench = step_variants.Workbench(SMALL, DEVICE)
    network = bench._network(variant).eval()
    chosen = Precision(precision)
    with torch.inference_mode(), chosen.products(DEVICE, network), chosen.autocast(DEVICE):
        output = step_variants._compute(network, bench.batch(LENGTHS, False))
    assert output.logits.dtype == torch.float32
    torch.testing.assert_close(output.logits.cpu(), on_a_cpu[0], rtol=0, atol=0.05)


def test_a_step_waits_nowhere():
    variant = step_variants.Variant("cms", length_groups=1, ema=True)
    bench = step_variants.Workbench(SMALL, DEVICE)
    batch = bench.batch(LENGTHS, padded=False)
    bench.train(variant, batch)
    found = synchronisations.count(lambda: bench.train(variant, batch), DEVICE)
    ignored = ["cmsbert/benchmarks/"]
    if DEVICE.type == "cpu":
        # Its attention and dropout draw a seed.
        ignored += ["mmf_cmsbert/modules/attention.py", "mmf_cmsbert/modules/dropout.py"]
    assert [each for each in found if not each.startswith(tuple(ignored))] == []


def test_predictions_are_those_of_a_cpu():
    texts = ["good " * (1 + i % 9) for i in range(40)]
    predictor = made()
    expected = [each.score for each in predictor(texts)]
    predictor.device = DEVICE
    predictor.network.to(DEVICE)
    assert [each.score for each in predictor(texts)] == pytest.approx(expected, abs=1e-4)
