import hashlib
import subprocess

import pytest

from mmf_cmsbert import paths
from mmf_cmsbert.experiments import provenance


def test_data_is_hashed_file_by_file_and_folder_by_folder(tmp_path):
    (tmp_path / "train.pkl").write_bytes(b"abc")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.npy").write_bytes(b"1")
    section = {
        "data_dir": str(tmp_path),
        "annotations": {"train": ["train.pkl"], "val": "own", "test": ["gone.pkl"]},
    }
    config = {"datasets": "mosi", "dataset_config": {"mosi": section, "mosei": section}}
    found = provenance.data_hashes(config)["mosi"]
    assert found["train"] == {"train.pkl": hashlib.sha256(b"abc").hexdigest()}
    assert found["test"] == {"gone.pkl": None}
    (tmp_path / "own" / "a.npy").rename(tmp_path / "own" / "b.npy")
    assert provenance.data_hashes(config)["mosi"]["val"] != found["val"]
    assert set(provenance.data_hashes(config)) == {"mosi"}


def test_the_code_hash_follows_what_computes_and_not_what_starts_it(tmp_path):
    for room in ("modules", "experiments"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "x.py").write_text("a = 1\n")
    before = provenance.code_sha256(tmp_path)
    (tmp_path / "experiments" / "x.py").write_text("a = 22\n")
    assert provenance.code_sha256(tmp_path) == before
    (tmp_path / "modules" / "x.py").write_text("a = 22\n")
    assert provenance.code_sha256(tmp_path) != before


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A package within a git repository."""

    def git(*words):
        settings = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", "-C", tmp_path, *settings, *words], check=True, capture_output=True)

    try:
        git("init")
    except OSError:
        pytest.skip("needs git")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    git("add", ".")
    git("commit", "-m", "first")
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "package")
    return tmp_path


def test_the_commit_is_that_of_the_checkout_and_dirty_where_files_differ(checkout):
    found = provenance.commit()
    assert len(found["hash"]) == 40 and found["dirty"] is False
    (checkout / "package" / "__init__.py").write_text("changed\n")
    assert provenance.commit() == found | {"dirty": True}


def test_a_package_installed_inside_somebody_elses_checkout_has_no_commit(checkout, monkeypatch):
    (checkout / "venv").mkdir()
    (checkout / "venv" / "__init__.py").touch()
    monkeypatch.setattr(paths, "PACKAGE", checkout / "venv")
    assert provenance.commit() is None


def test_a_local_backbone_is_known_by_its_content_and_random_weights_by_nothing(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"1")
    backbone = {"name": str(tmp_path), "from_config": None}
    config = {"model": "cmsbert", "model_config": {"cmsbert": {"backbone": backbone}}}
    before = provenance.backbone_identity(config)
    (tmp_path / "model.safetensors").write_bytes(b"22")
    assert before and provenance.backbone_identity(config) not in (None, before)
    backbone["from_config"] = "projects/cmsbert/demo"
    assert provenance.backbone_identity(config) is None
    assert provenance.backbone_identity({"model": "visual_bert"}) is None
