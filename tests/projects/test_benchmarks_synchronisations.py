"""Waits for the device are found where they are, and a training step has none."""

import step_variants
import synchronisations
import torch

from mmf_cmsbert.paths import PACKAGE

CPU = torch.device("cpu")


def test_each_read_of_a_value_is_found_at_its_place():
    values = torch.arange(4.0)

    def step():
        if values.sum() > 2:
            values[values > 1].mul_(2)
        return values.tolist(), values.mul(2).argsort()

    found = synchronisations.count(step, CPU)
    assert sum(found.values()) == 2  # the condition and the selection; a list is read at the end
    assert all("test_benchmarks_synchronisations.py" in place for place in found)
    assert all("(step)" in place for place in found)


def test_a_step_as_on_a_gpu_waits_nowhere():
    # On a GPU segments are padded; packing reads their lengths, which a CPU has at once.
    variant = step_variants.Variant("cms", length_groups=1, ema=True)
    bench = step_variants.Workbench(str(PACKAGE / "projects/cmsbert/demo"))
    batch = bench.batch([3, 12, 7], padded=False)
    bench.train(variant, batch)
    found = synchronisations.count(lambda: bench.train(variant, batch), CPU)
    # Attention and dropout of a CPU draw a seed.
    drawing = ("mmf_cmsbert/modules/attention.py", "mmf_cmsbert/modules/dropout.py")
    ignored = ("cmsbert/benchmarks/", *drawing)
    assert [each for each in found if not each.startswith(ignored)] == []
