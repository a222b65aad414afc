"""Hashes of the inputs of runs."""

import hashlib
import subprocess

import numpy as np
import pytest

from mmf_cmsbert import files, paths
from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.writers.misa import write_misa
from mmf_cmsbert.records import provenance


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


def hashes(folder, file, **section):
    """Return the hash of the data that is listed for all three splits."""
    section |= {"data_dir": str(folder), "annotations": {"train": [file], "val": file}}
    found = provenance.data_hashes({"dataset": "mosi", "dataset_config": {"mosi": section}})
    return found["mosi"]["train"][file], found["mosi"]["val"][file]


@pytest.mark.parametrize("named", ["own", "own/segments.jsonl"])
def test_of_a_plain_folder_what_segments_are_read_from_is_hashed(tmp_path, named):
    (tmp_path / "own" / "visual").mkdir(parents=True)
    (tmp_path / "own" / "segments.jsonl").write_text("{}")
    (tmp_path / "own" / "visual" / "a.npy").write_bytes(b"1")
    before = hashes(tmp_path, named)
    (tmp_path / "own" / "film.mp4").write_bytes(b"large")
    assert hashes(tmp_path, named) == before
    (tmp_path / "own").rename(tmp_path / "elsewhere")
    assert hashes(tmp_path, named.replace("own", "elsewhere")) == before
    (tmp_path / "elsewhere" / "visual" / "a.npy").write_bytes(b"22")
    assert hashes(tmp_path, named.replace("own", "elsewhere"))[0] not in (None, before[0])


@pytest.fixture
def converted(tmp_path):
    """Pickles in MISA's layout that were converted to stores."""
    frames = np.ones((1, 2), np.float32)
    segments = [Segment("v[0]", "v", ("good",), dict.fromkeys(("visual", "acoustic"), frames), 1.0)]
    made = write_misa(tmp_path, {"train": segments}, {"visual": 2, "acoustic": 2}).files["train"]
    convert([made], "train", ConversionSettings("mosi"), tmp_path / "stores" / "mosi-train")
    return made


def test_a_file_that_was_converted_is_not_read_for_its_hash(tmp_path, converted, monkeypatch):
    expected = hashlib.sha256(converted.read_bytes()).hexdigest()
    files._sha256.cache_clear()  # as in another process
    store_dir = str(tmp_path / "stores")
    with monkeypatch.context() as patch:
        patch.setattr(files, "_sha256", lambda *_: pytest.fail("it was read"))
        assert hashes(tmp_path, "train.pkl", store_dir=store_dir) == (expected, expected)
    converted.write_bytes(b"changed")
    expected = hashlib.sha256(b"changed").hexdigest()
    assert hashes(tmp_path, "train.pkl", store_dir=store_dir) == (expected, expected)


def test_a_broken_store_knows_nothing(tmp_path, converted):
    (tmp_path / "stores" / "mosi-train" / "manifest.json").write_text("{")
    expected = hashlib.sha256(converted.read_bytes()).hexdigest()
    assert hashes(tmp_path, "train.pkl", store_dir=str(tmp_path / "stores"))[0] == expected


def test_of_stores_each_split_has_its_own_hash(tmp_path, converted):
    convert([converted], "val", ConversionSettings("mosi"), tmp_path / "both" / "val")
    convert([converted], "train", ConversionSettings("mosi"), tmp_path / "both" / "train")
    train, val = hashes(tmp_path, "both")
    assert None not in (train, val) and train != val


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
    """A package in a git repository."""

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
