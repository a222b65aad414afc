"""The published files of corpora are downloaded and checked."""

import hashlib
import re

import pytest
from served_files import LABELS, VIDEO, WORDS, sequence, words

from mmf_cmsbert.datasets.download import download as module
from mmf_cmsbert.datasets.download.download import available, download
from mmf_cmsbert.datasets.readers.csd_file import open_sequence
from mmf_cmsbert.errors import ConfigError, DataError

# The table


def test_every_published_feature_has_an_address_of_its_own():
    addresses = [path for corpus in ("mosi", "mosei") for path in available(corpus).values()]
    assert len(set(addresses)) == len(addresses)
    for corpus in ("mosi", "mosei"):
        assert set(module.FEATURES) <= set(available(corpus)) <= set(module._NAMES)
        assert all(
            re.fullmatch(rf"CMU-{corpus.upper()}/[a-z]+/CMU_{corpus.upper()}_\w+\.csd", path)
            for path in available(corpus).values()
        )


def test_a_corpus_or_a_feature_that_is_not_published_is_named_with_those_that_are(tmp_path):
    with pytest.raises(ConfigError, match="'iemocap'.*mosi or mosei"):
        download("iemocap", tmp_path)
    with pytest.raises(ConfigError, match="'face'.*facet"):
        download("mosi", tmp_path, features=("words", "face"))
    with pytest.raises(ConfigError, match=r"ftp://x.*http://"):
        download("mosi", tmp_path, mirror="ftp://x")


# Successful downloads


def test_a_file_arrives_whole_and_its_hash_is_written_down(site, get, tmp_path):
    assert get() == [tmp_path / WORDS]
    assert (tmp_path / WORDS).read_bytes() == words(site)
    hashed = hashlib.sha256(words(site)).hexdigest()
    assert (tmp_path / "SHA256SUMS").read_text() == f"{hashed}  {WORDS}\n"
    assert {path.name for path in tmp_path.iterdir()} <= {WORDS, "SHA256SUMS", ".download.lock"}


def test_files_come_in_the_order_asked_for_each_once(site, get, tmp_path):
    site.files[available("mosi")["labels"]] = sequence("Opinion Segment Labels", [[1.5], [-2.0]])
    files = get("labels", "words", "labels")
    assert files == [tmp_path / LABELS, tmp_path / WORDS]
    with open_sequence(files[0]) as labels:
        assert labels.read(VIDEO)[0].tolist() == [[1.5], [-2.0]]


def test_a_file_that_is_there_is_kept_and_the_server_not_asked(site, get, tmp_path):
    own = sequence(filler=10)
    (tmp_path / WORDS).write_bytes(own)
    assert get() == [tmp_path / WORDS]
    assert (tmp_path / WORDS).read_bytes() == own
    assert site.asked == []
    assert get.said == [f"{tmp_path / WORDS}: already there"]


# Errors


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html><title>Sign in", "did not send the file, but .*DOCTYPE"),
        (b"", "did not send the file"),
        (sequence(filler=5000)[:3000], "not a complete HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(5000), "not a complete HDF5 file"),
        (sequence("COVAREP", [[1.0]]), "expected words, found the sequence 'COVAREP'"),
        (sequence(rows=[[1.0]]), "expected words, found rows of type float64"),
        (sequence(video="someone"), "expected videos of mosi, found someone"),
    ],
    ids=["page", "empty", "truncated", "damaged", "other role", "no text", "other corpus"],
)
def test_what_is_not_the_file_never_gets_its_name(site, get, tmp_path, content, says):
    good = words(site)
    site.files[available("mosi")["words"]] = content
    with pytest.raises(DataError, match=says) as raised:
        get()
    assert str(raised.value).count("the same command") >= 1
    assert not (tmp_path / WORDS).exists() and not (tmp_path / "SHA256SUMS").exists()

    site.files[available("mosi")["words"]] = good
    assert get()[0].read_bytes() == good


def test_a_damaged_file_that_is_there_is_told_and_left(site, get, tmp_path):
    (tmp_path / WORDS).write_bytes(words(site)[:3000])
    with pytest.raises(DataError, match="not a complete HDF5 file.*Move it away"):
        get()
    assert (tmp_path / WORDS).stat().st_size == 3000 and site.asked == []


def test_a_file_that_another_machine_got_differently_is_refused(site, get, tmp_path):
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  {WORDS}\n{'1' * 64}  other.csd\n")
    with pytest.raises(DataError, match=f"SHA-256.*{'0' * 64}.*SHA256SUMS"):
        get()
    assert not (tmp_path / WORDS).exists()
    (tmp_path / "SHA256SUMS").write_text(f"{'1' * 64}  other.csd\n")
    get()
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == 2


def test_a_file_of_hashes_that_is_none_is_told(get, tmp_path):
    (tmp_path / "SHA256SUMS").write_text("what is this\n")
    with pytest.raises(DataError, match="SHA256SUMS, line 1"):
        get()


def test_a_folder_that_cannot_be_made_is_one_error(mirror, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file"):
        download("mosi", tmp_path / "file" / "below", mirror=mirror)


def test_two_downloads_into_one_folder_do_not_mix(get, tmp_path):
    lock = module.FileLock(tmp_path / ".download.lock")
    with lock, pytest.raises(DataError, match="another download"):
        get()
