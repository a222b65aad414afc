"""Files are identified by their hash, which is computed again only if they have changed."""

import hashlib
import os

import pytest

from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.datasets.stores.manifest import identify, read_manifest
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


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    given = made()
    given.write(tmp_path)
    assert read_manifest(tmp_path) == given


@pytest.mark.parametrize(
    ("written", "now"),
    [('"label_mean": 0.5', '"label_mean": 0.25'), ("[1.0]", "[9.0]"), ('"b.pkl"', '"c.pkl"')],
)
def test_a_changed_value_of_a_manifest_is_noticed(tmp_path, written, now):
    made().write(tmp_path)
    path = tmp_path / manifest.NAME
    text = " ".join(path.read_text().split()).replace("[ ", "[").replace(" ]", "]")
    assert written in text
    path.write_text(text)
    assert read_manifest(tmp_path).label_mean == 0.5  # spaces do not count as a change
    path.write_text(text.replace(written, now))
    with pytest.raises(DataError, match="wrong checksum"):
        read_manifest(tmp_path)


def test_a_manifest_larger_than_any_is_not_read(tmp_path, monkeypatch):
    made().write(tmp_path)
    monkeypatch.setattr(manifest, "LARGEST", 100)
    with pytest.raises(DataError, match=r"manifest\.json: larger than 100 bytes"):
        read_manifest(tmp_path)


def made():
    return manifest.Manifest(
        sources=(manifest.SourceFile("b.pkl", 3, 4, "ab"),),
        settings={"split": "train"},
        content="cd",
        size=10,
        segments=2,
        labels=1,
        label_mean=0.5,
        widths={"visual": 1},
        longest={"words": 2, "visual": 1, "acoustic": 0},
        missing={"visual": 0, "acoustic": 2},
        unaligned=None,
        skipped=[],
        statistics={"visual": [[0.5], [1.0]]},
    )
