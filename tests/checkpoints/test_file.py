"""Checkpoint files are complete or absent, contain plain values, and never execute code."""

import io
import os
import resource
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from mmf_cmsbert.checkpoints import file as checkpoint_file
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import WriteError


def test_what_is_written_is_read_again(tmp_path):
    contents = checkpoint_file.plain(
        {
            "value": np.float64(0.5),
            "count": np.int64(3),
            "array": np.arange(3),
            "config": OmegaConf.create({"a": [1, {"b": None}]}),
            "folder": Path("/some/where"),
            "state": OrderedDict(weight=torch.ones(2)),
            "group": {"betas": (0.9, 0.999), "names": {"x"}},
        }
    )
    checkpoint_file.write(contents, tmp_path / "a.ckpt")
    read = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert read["value"] == 0.5 and type(read["value"]) is float
    assert read["count"] == 3 and type(read["count"]) is int
    assert read["array"].tolist() == [0, 1, 2]
    assert read["config"] == {"a": [1, {"b": None}]}
    assert read["folder"] == "/some/where"
    assert read["state"]["weight"].tolist() == [1, 1]
    assert read["group"] == {"betas": (0.9, 0.999), "names": ["x"]}


def test_the_versions_of_a_state_dict_stay():
    state = torch.nn.BatchNorm1d(2).state_dict()
    assert checkpoint_file.plain(state)._metadata == state._metadata


def test_an_object_that_could_not_be_loaded_again_is_named():
    with pytest.raises(UserError, match=r"checkpoint\.optimizer\.state\[0\] is a .*OSError"):
        checkpoint_file.plain({"optimizer": {"state": [OSError()]}})


def test_a_file_that_would_execute_code_is_refused(tmp_path):
    class Program:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    torch.save({"model": Program()}, tmp_path / "foreign.ckpt")
    with pytest.raises(UserError, match=r"foreign\.ckpt holds posix\.mkdir.*execute code"):
        checkpoint_file.read(tmp_path / "foreign.ckpt")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("kept", [0, 1, 0.5, 0.99])
@pytest.mark.parametrize("zipped", [True, False])
def test_a_torn_file_is_called_damaged(tmp_path, kept, zipped):
    path = tmp_path / "torn.ckpt"
    weights = {"model": {"weight": torch.ones(500)}}
    torch.save(weights, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    with pytest.raises(UserError, match=r"torn\.ckpt is damaged"):
        checkpoint_file.read(path)


def test_a_text_file_is_no_checkpoint(tmp_path):
    (tmp_path / "notes.txt").write_text("not found")
    with pytest.raises(UserError, match=r"notes\.txt is damaged or is not a checkpoint"):
        checkpoint_file.read(tmp_path / "notes.txt")


def test_targets_share_one_file(tmp_path):
    targets = [tmp_path / name for name in ("model_1.ckpt", "best.ckpt", "current.ckpt")]
    checkpoint_file.write({"update": 1}, *targets)
    assert {path.stat().st_ino for path in targets} == {targets[0].stat().st_ino}
    # a later one does not change what was written under another name
    checkpoint_file.write({"update": 2}, targets[2])
    assert checkpoint_file.read(targets[0]) == {"update": 1}
    assert sorted(tmp_path.iterdir()) == sorted(targets)


def test_targets_are_copied_where_files_cannot_be_shared(tmp_path, monkeypatch):
    def no_links(*args):
        raise OSError("no hard links here")

    monkeypatch.setattr(os, "link", no_links)
    checkpoint_file.write({"update": 1}, tmp_path / "best.ckpt", tmp_path / "current.ckpt")
    assert checkpoint_file.read(tmp_path / "best.ckpt") == {"update": 1}


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    checkpoint_file.write({"update": 1}, tmp_path / "current.ckpt")

    def torn(contents, file):
        file.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", torn)
    with pytest.raises(KeyboardInterrupt):
        checkpoint_file.write({"update": 2}, tmp_path / "current.ckpt")
    assert checkpoint_file.read(tmp_path / "current.ckpt") == {"update": 1}


def test_a_checkpoint_that_does_not_fit_leaves_the_earlier_ones(tmp_path):
    best, current = tmp_path / "best.ckpt", tmp_path / "current.ckpt"
    checkpoint_file.write({"weights": torch.ones(10)}, best, current)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        for size in (1_000_000, 12_200):  # while a tensor is written; while the directory is
            with pytest.raises(WriteError, match=r"current\.ckpt cannot be written.*ulimit -f"):
                checkpoint_file.write({"weights": torch.zeros(size)}, best, current)
            assert sorted(tmp_path.iterdir()) == [best, current]
            for path in (best, current):
                assert checkpoint_file.read(path)["weights"].tolist() == [1] * 10
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_disk_that_takes_part_of_a_write_gets_the_rest(tmp_path, monkeypatch):
    class Slow(io.FileIO):
        def write(self, data):
            return super().write(data[:7])

    monkeypatch.setattr(
        checkpoint_file, "open", lambda path, mode, buffering: Slow(path, mode), raising=False
    )
    checkpoint_file.write({"weights": torch.arange(50)}, tmp_path / "a.ckpt")
    monkeypatch.undo()
    assert torch.equal(checkpoint_file.read(tmp_path / "a.ckpt")["weights"], torch.arange(50))
