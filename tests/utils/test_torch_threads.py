"""Torch's threads: the user's number, or as many as cores are free."""

import torch

from mmf_cmsbert.utils import torch_threads


def test_a_process_computes_on_the_free_cores(four_cores):
    assert torch_threads.set_threads(torch.device("cpu")).count == 3
    assert torch.get_num_threads() == 3


def test_without_a_device_it_is_the_one_a_model_would_use(four_cores, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert torch_threads.set_threads().why == "torch's default"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert torch_threads.set_threads().count == 3


def test_the_users_number_and_a_gpus_default_stay(four_cores, monkeypatch):
    assert torch_threads.set_threads(torch.device("cuda")).count == 4
    torch.set_num_threads(2)
    assert torch_threads.set_threads(torch.device("cpu")).count == 2
    monkeypatch.setenv("MKL_NUM_THREADS", "2")
    assert torch_threads.set_threads(torch.device("cpu")).why == "MKL_NUM_THREADS=2"
    assert torch.get_num_threads() == 2
