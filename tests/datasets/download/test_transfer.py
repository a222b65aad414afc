"""A file is downloaded completely from a faulty server, or an error gives the reason."""

import json
import os
import resource
import shutil
import socket

import pytest
from served_files import WORDS, ranges, sequence, words

from mmf_cmsbert.datasets.download import transfer
from mmf_cmsbert.datasets.download.download import available
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import WriteError


def interrupted_at(length, site, get, monkeypatch):
    """Interrupt a download after ``length`` bytes."""
    read = transfer.requests.Response.iter_content

    def stopped(self, size):
        content = b"".join(read(self, size))
        yield content[:length]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transfer.requests.Response, "iter_content", stopped)
        with pytest.raises(KeyboardInterrupt):
            get()
    site.asked.clear()


def test_a_server_that_announces_no_length_will_do(site, get):
    site.length = False
    assert get()[0].read_bytes() == words(site)


# Resuming


def test_a_cut_connection_is_taken_up_where_it_broke(site, get):
    site.cuts = [30_000, 70_000]
    assert get()[0].read_bytes() == words(site)
    assert ranges(site) == [None, "bytes=30000-", "bytes=70000-"]


def test_a_connection_that_breaks_often_but_gets_on_is_not_given_up(site, get):
    site.cuts = list(range(10_000, 100_000, 10_000))
    assert get()[0].read_bytes() == words(site)
    assert len(site.asked) == 10 > transfer._TRIES


def test_a_server_that_sends_less_than_asked_for_is_asked_again(site, get, monkeypatch):
    interrupted_at(40_000, site, get, monkeypatch)
    site.most = 30_000
    assert get()[0].read_bytes() == words(site)
    assert ranges(site)[:3] == ["bytes=40000-", "bytes=70000-", "bytes=100000-"]


def test_an_interrupted_command_says_so_and_the_next_goes_on(site, get, tmp_path, monkeypatch):
    interrupted_at(40_000, site, get, monkeypatch)
    assert (tmp_path / f"{WORDS}.part").stat().st_size == 40_000
    assert not (tmp_path / WORDS).exists()
    assert "40,000 bytes" in get.said[-1] and "same command" in get.said[-1]
    assert get()[0].read_bytes() == words(site)
    assert ranges(site) == ["bytes=40000-"]


def test_the_time_of_change_vouches_for_a_file_without_a_strong_etag(site, get, monkeypatch):
    site.etag, site.changed = 'W/"weak"', "Mon, 02 Nov 2020 10:00:00 GMT"
    interrupted_at(40_000, site, get, monkeypatch)
    assert get()[0].read_bytes() == words(site)
    assert site.asked[0]["If-Range"] == site.changed
    assert ranges(site) == ["bytes=40000-"]


def test_what_nothing_vouches_for_is_fetched_from_its_start(site, get, monkeypatch):
    site.etag = None
    interrupted_at(40_000, site, get, monkeypatch)
    assert get()[0].read_bytes() == words(site)
    assert ranges(site) == [None]


def test_a_file_that_changed_is_not_glued_to_its_old_beginning(site, get, monkeypatch):
    interrupted_at(40_000, site, get, monkeypatch)
    changed = sequence(rows=((b"bad",), (b"film",)), filler=90_000)
    site.files[available("mosi")["words"]], site.etag = changed, '"two"'
    assert get()[0].read_bytes() == changed


def test_a_part_of_another_version_is_not_taken(site, get, monkeypatch):
    interrupted_at(40_000, site, get, monkeypatch)
    changed = sequence(rows=((b"bad",), (b"film",)), filler=100_000)
    site.files[available("mosi")["words"]], site.etag = changed, '"two"'
    # Ignores If-Range, and sends the part even if the file has changed.
    site.changed = '"one"'
    assert get()[0].read_bytes() == changed
    assert ranges(site) == ["bytes=40000-", None]


def test_a_server_that_sends_no_parts_is_asked_for_the_whole(site, get, monkeypatch):
    interrupted_at(40_000, site, get, monkeypatch)
    site.ranges = False
    assert get()[0].read_bytes() == words(site)
    assert ranges(site) == ["bytes=40000-"]


def test_a_beginning_from_another_server_is_not_gone_on_with(site, get, tmp_path, mirror):
    (tmp_path / f"{WORDS}.part").write_bytes(b"\x89HDF\r\n\x1a\n of another file")
    (tmp_path / f"{WORDS}.part.json").write_text(
        '{"address": "http://elsewhere/words.csd", "version": "\\"one\\"", "size": 100}'
    )
    assert get()[0].read_bytes() == words(site)
    assert ranges(site) == [None]


@pytest.mark.parametrize("note", ["[" * 60_000, " " * 70_000 + "{}", "[]", None])
def test_a_beginning_whose_note_says_nothing_is_fetched_again(site, get, tmp_path, note):
    (tmp_path / f"{WORDS}.part").write_bytes(b"\x89HDF")
    if note is None:
        os.mkfifo(tmp_path / f"{WORDS}.part.json")
    else:
        (tmp_path / f"{WORDS}.part.json").write_text(note)
    assert get()[0].read_bytes() == words(site)
    assert ranges(site) == [None]


def beginning(site, mirror, folder, content):
    """Write the files of a download that was interrupted after ``content``."""
    (folder / f"{WORDS}.part").write_bytes(content)
    note = {"version": site.etag, "size": len(words(site))}
    note["address"] = f"{mirror}/{available('mosi')['words']}"
    (folder / f"{WORDS}.part.json").write_text(json.dumps(note))


def test_a_download_stopped_at_its_very_end_is_only_checked(site, get, tmp_path, mirror):
    beginning(site, mirror, tmp_path, words(site))
    assert get()[0].read_bytes() == words(site)
    assert site.asked == []


def test_a_beginning_longer_than_the_file_is_fetched_anew(site, get, tmp_path, mirror):
    beginning(site, mirror, tmp_path, words(site) + b"more")
    assert get()[0].read_bytes() == words(site)
    assert ranges(site) == [f"bytes={len(words(site)) + 4}-", None]


def test_a_page_in_place_of_the_rest_leaves_the_beginning(site, get, tmp_path, monkeypatch):
    interrupted_at(40_000, site, get, monkeypatch)
    path, whole = available("mosi")["words"], words(site)
    site.files[path], site.etag, site.kind = b"<html>Log in</html>", '"page"', "text/html"
    with pytest.raises(DataError, match="text/html.*Log in"):
        get()
    site.files[path], site.etag = whole, '"one"'
    site.asked.clear()
    assert get()[0].read_bytes() == whole
    assert ranges(site) == ["bytes=40000-"]


# Errors


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_refusal_is_told_with_address_and_way_out_and_not_repeated(site, get, tmp_path, status):
    site.status = status
    with pytest.raises(DataError) as raised:
        get()
    message = str(raised.value)
    assert f"/CMU-MOSI/language/{WORDS}: the server answered {status}" in message
    assert f"copy {WORDS} from another source to {tmp_path / WORDS}" in message
    assert len(site.asked) == 1
    assert not list(tmp_path.glob("*.csd*"))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_overloaded_server_is_asked_a_few_times(site, get, status):
    site.status = status
    with pytest.raises(DataError, match=f"the server answered {status}"):
        get()
    assert len(site.asked) == transfer._TRIES


def test_a_connection_that_ends_at_the_same_place_again_and_again_is_given_up(site, get, tmp_path):
    site.cuts = [50_000] * 10
    with pytest.raises(DataError, match="same command to try again, which resumes"):
        get()
    assert len(site.asked) == transfer._TRIES
    assert (tmp_path / f"{WORDS}.part").stat().st_size == 50_000


def test_no_network_is_one_error(get, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(DataError, match=rf"{address}/.*no connection \(.*refused"):
        get(mirror=address)


def test_a_name_that_does_not_resolve_is_one_error(get):
    with pytest.raises(DataError, match=r"nowhere\.invalid/.*no connection"):
        get(mirror="http://nowhere.invalid")


def test_a_server_without_a_valid_certificate_is_not_trusted(mirror, get, site, monkeypatch):
    monkeypatch.setattr(transfer.time, "sleep", lambda _: pytest.fail("tried again"))
    with pytest.raises(DataError, match="certificate"):
        get(mirror=mirror.replace("http:", "https:"))
    assert site.asked == []


def test_a_disk_without_room_is_told_before_anything_is_written(get, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match=r"1\d\d,\d{3} bytes remain to be downloaded.* 1,000 free"):
        get()
    assert not list(tmp_path.glob("*.csd*"))


def test_a_disk_that_is_full_or_limited_is_named_and_the_download_resumes(get, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(WriteError, match=r"\.part cannot be written: .*ulimit -f unlimited"):
            get()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / WORDS).exists()
    assert get()


def test_what_a_fresh_start_overwrites_counts_as_room(get, tmp_path, monkeypatch):
    (tmp_path / f"{WORDS}.part").write_bytes(bytes(200_000))
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    assert get()
