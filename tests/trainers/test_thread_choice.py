"""The threads of a run: the user's number, that of its record, or as many as cores are free."""

import json

import pytest
import torch
from omegaconf import OmegaConf


@pytest.fixture
def chosen(mmf, four_cores, tmp_path):
    from mmf_cmsbert.trainers import thread_choice

    class Loader:
        def load_datasets(self):
            self.used = torch.get_num_threads()

    class Trainer(thread_choice.ChoosesThreads, Loader):
        def __init__(self, device="cpu", resume=False):
            self.device = torch.device(device)
            self.config = OmegaConf.create(
                {"checkpoint": {"resume": resume}, "env": {"save_dir": str(tmp_path)}}
            )

    def load(**given):
        trainer = Trainer(**given)
        trainer.load_datasets()
        return trainer.used, trainer.threads.why

    return load


def test_as_many_as_cores_are_free(chosen):
    assert chosen() == (3, "3.0 of 4 usable cores free")


def test_the_users_variable_and_the_users_call_win(chosen, monkeypatch):
    torch.set_num_threads(2)
    assert chosen() == (2, "set by torch.set_num_threads")
    torch.set_num_threads(4)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert chosen() == (4, "OMP_NUM_THREADS=4")


def test_a_resumed_run_computes_on_the_threads_of_its_record(chosen, tmp_path):
    record = {"format": 1, "status": "interrupted", "machine": {"threads": 2}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert chosen(resume=True) == (2, "as in the run that is resumed")
    torch.set_num_threads(4)
    assert chosen(resume=False)[0] == 3


def test_a_resumed_run_without_a_record_chooses(chosen):
    assert chosen(resume=True)[0] == 3


def test_processes_of_a_launcher_share_the_cores(chosen, monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert chosen() == (2, "2 processes share 4 usable cores")


def test_with_a_gpu_torch_chooses(chosen):
    assert chosen(device="cuda") == (4, "torch's default")
