"""Precisions by name, and what is left out of them."""

import pytest
import torch

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.precision import Precision, full_precision

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize("value", ["float32", 16, None, True])
def test_another_name_is_refused_with_those_that_there_are(value):
    with pytest.raises(ConfigError, match="k.p is .*; expected fp32, tf32, bf16, fp16"):
        Precision.read("k.p", value, CPU)


@pytest.mark.parametrize("name", ["tf32", "fp16"])
def test_what_takes_a_gpu_is_refused_on_a_cpu(name):
    assert Precision.read("k.p", name, GPU).name == name
    with pytest.raises(ConfigError, match=f"k.p is {name}, which takes a GPU.*type k.p=bf16"):
        Precision.read("k.p", name, CPU)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("fp32", torch.float32), ("tf32", torch.float32), ("bf16", torch.bfloat16)],
)
def test_products_of_a_forward_pass(name, dtype):
    weights = torch.ones(2, 2)
    with Precision(name).autocast(CPU):
        assert (weights @ weights).dtype == dtype
        with full_precision(CPU):
            assert (weights @ weights).dtype == torch.float32
    assert (weights @ weights).dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "inside"), [("fp32", "highest"), ("tf32", "high"), ("bf16", "highest")]
)
def test_float32_products_are_what_they_are_called_and_as_before_afterwards(name, inside):
    torch.set_float32_matmul_precision("medium")
    try:
        with pytest.raises(KeyboardInterrupt), Precision(name).products():
            assert torch.get_float32_matmul_precision() == inside
            with full_precision(CPU):
                assert torch.get_float32_matmul_precision() == "highest"
            assert torch.get_float32_matmul_precision() == inside
            raise KeyboardInterrupt
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
