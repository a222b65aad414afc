"""Downloads from a server on this machine that breaks in the ways that servers break."""

import hashlib
import io
import json
import re
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import h5py
import numpy as np
import pytest

from mmf_cmsbert.datasets.download import download as module
from mmf_cmsbert.datasets.download import transfer
from mmf_cmsbert.datasets.download.download import available, download
from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.readers.csd_file import open_sequence
from mmf_cmsbert.errors import ConfigError, DataError

VIDEO = canonical_videos("mosi", "train")[0]
WORDS = "CMU_MOSI_TimestampedWords.csd"
LABELS = "CMU_MOSI_Opinion_Labels.csd"


def sequence(name="words", rows=((b"good",), (b"film",)), video=VIDEO, filler=0):
    """The bytes of a computational sequence; ``filler`` makes it larger."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        group = file.create_group(f"{name}/data/{video}")
        group["features"] = np.array(rows)
        group["intervals"] = np.arange(2.0 * len(rows)).reshape(-1, 2)
        file[f"{name}/metadata/filler"] = np.random.default_rng(1).integers(
            256, size=filler, dtype=np.uint8
        )
    return content.getvalue()


class Site:
    """What the server has and how it behaves."""

    def __init__(self):
        self.files = {available("mosi")["words"]: sequence(filler=100_000)}
        self.etag, self.changed, self.ranges, self.length = '"one"', None, True, True
        self.cuts, self.asked, self.most = [], [], 10**9
        self.status, self.kind = 200, "application/octet-stream"


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def mirror(site, monkeypatch):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            site.asked.append(dict(self.headers))
            content = site.files.get(self.path.lstrip("/"))
            status = 404 if content is None else site.status
            if status != 200:
                self.send_error(status)
                return
            first, wanted = 0, re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            unchanged = self.headers.get("If-Range") in (site.etag, site.changed)
            if wanted and site.ranges and unchanged:
                status, first = 206, int(wanted[1])
            if wanted and first >= len(content):
                self.send_error(416)
                return
            behind = min(len(content), first + site.most) if status == 206 else len(content)
            self.send_response(status)
            self.send_header("Content-Type", site.kind)
            if status == 206:
                span = f"bytes {first}-{behind - 1}/{len(content)}"
                self.send_header("Content-Range", span)
            if site.etag:
                self.send_header("ETag", site.etag)
            if site.changed:
                self.send_header("Last-Modified", site.changed)
            if site.length:
                self.send_header("Content-Length", str(behind - first))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            last = site.cuts.pop(0) if site.cuts else behind
            self.wfile.write(content[first:last])
            self.close_connection = True

        def log_message(self, *_):
            pass

    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(transfer, "_PAUSE", 0)
    monkeypatch.setattr(transfer, "_CHUNK", 10_000)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    try:
        socket.create_connection(server.server_address, 1).close()
    except OSError:
        server.server_close()
        pytest.skip("asks a server on this machine, whose loopback network is down")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def get(mirror, tmp_path):
    """Download the words of MOSI, as a rule, into ``tmp_path``."""

    def get(*features, **options):
        said = []
        options = {"mirror": mirror, "progress": False, "say": said.append} | options
        get.said = said
        return download("mosi", tmp_path, features=features or ("words",), **options)

    return get


def words(site):
    return site.files[available("mosi")["words"]]


def ranges(site):
    return [asked.get("Range") for asked in site.asked]


def interrupted_at(length, site, get, monkeypatch):
    """A download that the user stops after ``length`` bytes."""
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


# What goes well


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
    # Knows no If-Range, and sends the part whatever became of the file.
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


def beginning(site, mirror, folder, content):
    """What a download leaves that was stopped when ``content`` had come."""
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


# What goes wrong


@pytest.mark.parametrize("status", [401, 403, 404, 410, 451])
def test_a_refusal_is_told_with_address_and_way_out_and_not_repeated(site, get, tmp_path, status):
    site.status = status
    with pytest.raises(DataError) as raised:
        get()
    message = str(raised.value)
    assert f"/CMU-MOSI/language/{WORDS}: the server answered {status}" in message
    assert f"put {WORDS} from elsewhere at {tmp_path / WORDS}" in message
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
    with pytest.raises(DataError, match="same command to try again, what came is kept"):
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


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html><title>Sign in", "something else than the file.*DOCTYPE"),
        (b"", "something else than the file"),
        (sequence(filler=5000)[:3000], "no complete HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(5000), "no complete HDF5 file"),
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
    with pytest.raises(DataError, match="no complete HDF5 file.*Move it away"):
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


def test_a_disk_without_room_is_told_before_anything_is_written(get, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(DataError, match=r"1\d\d,\d{3} bytes are to come.*room for 1,000"):
        get()
    assert not list(tmp_path.glob("*.csd*"))


def test_what_a_fresh_start_overwrites_counts_as_room(get, tmp_path, monkeypatch):
    (tmp_path / f"{WORDS}.part").write_bytes(bytes(200_000))
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    assert get()


def test_a_folder_that_cannot_be_made_is_one_error(mirror, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="file"):
        download("mosi", tmp_path / "file" / "below", mirror=mirror)


def test_two_downloads_into_one_folder_do_not_mix(get, tmp_path):
    lock = module.FileLock(tmp_path / ".download.lock")
    with lock, pytest.raises(DataError, match="another download"):
        get()
