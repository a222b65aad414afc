"""Torch's threads: the user's number, or as many as cores are free."""

import pytest
import torch

from mmf_cmsbert.utils import threads, torch_threads


@pytest.fixture
def machine(monkeypatch):
    """Four cores, of which one is free."""
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    monkeypatch.setattr(torch_threads, "_DEFAULT", 4)
    monkeypatch.setattr(threads, "usable_cores", lambda: 4)
    monkeypatch.setattr(threads, "free_cores", lambda: 1.2)
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def test_a_process_computes_on_the_free_cores(machine):
    assert torch_threads.set_threads(torch.device("cpu")).count == 1
    assert torch.get_num_threads() == 1


def test_the_users_number_and_a_gpus_default_stay(machine, monkeypatch):
    assert torch_threads.set_threads(torch.device("cuda")).count == 4
    torch.set_num_threads(3)
    assert torch_threads.set_threads(torch.device("cpu")).count == 3
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    assert torch_threads.set_threads(torch.device("cpu")).why == "MKL_NUM_THREADS=3"
    assert torch.get_num_threads() == 3
