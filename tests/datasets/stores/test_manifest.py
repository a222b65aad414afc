"""Files are known by their hash, which is taken again only when they look changed."""

import hashlib
import os

import pytest

from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.datasets.stores.manifest import identify
from mmf_cmsbert.errors import DataError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "train.pkl"
    path.write_bytes(b"first")
    return path


def test_a_file_is_known_by_its_content(file):
    (found,) = identify([file])
    assert found.path == str(file)
    assert found.size == 5
    assert found.sha256 == hashlib.sha256(b"first").hexdigest()


def test_a_file_that_looks_the_same_is_not_read_again(file, monkeypatch):
    known = identify([file])
    monkeypatch.setattr(manifest, "sha256_of", lambda *_: pytest.fail("it was read"))
    assert identify([file], known) == known


@pytest.mark.parametrize("content", [b"other", b"longer than before"])
def test_a_file_that_changed_is(file, content):
    known = identify([file])
    file.write_bytes(content)
    os.utime(file, ns=(0, known[0].mtime_ns + 1))
    (found,) = identify([file], known)
    assert found.sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_that_was_only_touched_has_the_same_hash(file):
    known = identify([file])
    os.utime(file, ns=(0, 0))
    (found,) = identify([file], known)
    assert found != known[0]
    assert found.sha256 == known[0].sha256


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(DataError, match="gone.pkl: cannot be read"):
        identify([tmp_path / "gone.pkl"])
