"""Precisions by name, and operations that stay in float32."""

import pytest
import torch
import torch.nn.functional as F

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules import precision
from mmf_cmsbert.modules.precision import Precision, full_precision

CPU, GPU = torch.device("cpu"), torch.device("cuda")
LARGE = torch.nn.Linear(768, 3072)


@pytest.mark.parametrize("value", ["float32", 16, None, True])
def test_another_name_is_refused_with_those_that_there_are(value):
    with pytest.raises(ConfigError, match="k.p is .*; expected fp32, tf32, bf16, fp16"):
        Precision.read("k.p", value, CPU)


@pytest.mark.parametrize("name", ["tf32", "fp16"])
def test_what_takes_a_gpu_is_refused_on_a_cpu(name):
    assert Precision.read("k.p", name, GPU).name == name
    with pytest.raises(ConfigError, match=f"k.p is {name}, which needs a GPU.*type k.p=bf16"):
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
        with pytest.raises(KeyboardInterrupt), Precision(name).products(GPU, LARGE):
            assert torch.get_float32_matmul_precision() == inside
            with full_precision(CPU):
                assert torch.get_float32_matmul_precision() == "highest"
            assert torch.get_float32_matmul_precision() == inside
            raise KeyboardInterrupt
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_on_a_cpu_float32_products_keep_the_digits_of_float32():
    torch.manual_seed(0)
    for rows, width, columns in ((1, 74, 1), (48, 768, 128), (300, 64, 768), (129, 3072, 5)):
        left, right = torch.randn(rows, width), torch.randn(columns, width)
        exact = left.double() @ right.double().T
        scale = left.double().abs() @ right.double().abs().T
        with Precision("fp32").products(CPU, LARGE):
            for product in (left @ right.T, F.linear(left, right), (right @ left.T).T):
                # bfloat16 has 8 bits: an error of 4e-3.
                assert ((product - exact).abs() / scale).max() < 2e-6


@pytest.mark.parametrize(
    ("processor", "precise", "setting"),
    [
        ({"cpu_name": "AMD EPYC", "avx512_f": True}, True, "medium"),
        ({"cpu_name": "AMD EPYC", "avx512_f": True}, False, "highest"),
        ({"cpu_name": "AMD EPYC", "avx512_f": False}, True, "highest"),
        ({"cpu_name": "Intel Xeon", "avx512_f": True}, True, "highest"),
        ({}, True, "highest"),
    ],
)
def test_onednn_multiplies_where_it_is_found_to_be_precise_and_known_to_be_faster(
    processor, precise, setting, monkeypatch
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: processor)
    monkeypatch.setattr(precision, "_keeps_float32", lambda setting: precise)
    precision._onednn_is_better.cache_clear()
    try:
        with Precision("fp32").products(CPU, LARGE):
            assert torch.get_float32_matmul_precision() == setting
    finally:
        precision._onednn_is_better.cache_clear()


def test_a_small_network_is_left_to_mkl_wherever_it_computes(monkeypatch):
    monkeypatch.setattr(precision, "_onednn_is_better", lambda: True)
    small = torch.nn.Sequential(torch.nn.Embedding(30_000, 64), torch.nn.Linear(64, 256))
    for model, setting in ((LARGE, "medium"), (small, "highest")):
        with Precision("fp32").products(CPU, model):
            assert torch.get_float32_matmul_precision() == setting


def test_a_product_with_fewer_digits_is_found_out(monkeypatch):
    assert precision._keeps_float32("highest")
    multiply = torch.Tensor.__matmul__

    def rounded(left, right):
        if left.dtype == torch.float32:
            left = left.bfloat16().float()
        return multiply(left, right)

    monkeypatch.setattr(torch.Tensor, "__matmul__", rounded)
    assert not precision._keeps_float32("highest")
