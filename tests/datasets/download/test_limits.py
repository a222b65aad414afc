"""A server cannot delay a download, fill the disk or redirect it: one message, no files."""

import gzip
import time

import pytest
from served_files import WORDS

from mmf_cmsbert.datasets.download import transfer
from mmf_cmsbert.datasets.download.limits import Limits
from mmf_cmsbert.datasets.readers.csd_file import MAGIC
from mmf_cmsbert.errors import ConfigError, DataError

OK = b"HTTP/1.1 200 OK\r\n"
SOON = 5.0  # seconds
BOMB = gzip.compress(MAGIC + bytes(10_000_000))


def send_for_ever(connection, ended, what, pause=0.0):
    while not ended.is_set():
        connection.sendall(what)
        time.sleep(pause)


def endless_chunks(connection, ended):
    connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n8\r\n" + MAGIC + b"\r\n")
    send_for_ever(connection, ended, b"10000\r\n" + bytes(0x10000) + b"\r\n")


def endless_body(connection, ended):
    connection.sendall(OK + b'ETag: "x"\r\n\r\n' + MAGIC)
    send_for_ever(connection, ended, bytes(1 << 16))


def slow_body(connection, ended):
    connection.sendall(OK + b"Content-Length: 100000\r\n\r\n" + MAGIC)
    send_for_ever(connection, ended, b"x", 0.05)


def slow_headers(connection, ended):
    connection.sendall(OK)
    send_for_ever(connection, ended, b"x", 0.05)


def endless_continue(connection, ended):
    send_for_ever(connection, ended, b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)


def silent(connection, ended):
    ended.wait(SOON)


def absurd_length(connection, ended):
    connection.sendall(OK + b"Content-Length: 99999999999999999\r\n\r\n" + MAGIC)


def length_of_5000_digits(connection, ended):
    connection.sendall(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + MAGIC)
    send_for_ever(connection, ended, bytes(1 << 16))


def compressed(connection, ended):
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)
    connection.sendall(head + BOMB)


def redirected(target):
    def behave(connection, ended):
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + target + b"\r\n\r\n")
        send_for_ever(connection, ended, bytes(1 << 16))  # a body that must not be read

    return behave


def no_http(connection, ended):
    connection.sendall(b"\x00\x01 what is this\r\n\r\n")


def many_headers(connection, ended):
    connection.sendall(OK + b"X: y\r\n" * 10_000)


def long_header(connection, ended):
    connection.sendall(OK + b"X: " + b"y" * 1_000_000)


@pytest.mark.parametrize(
    ("behave", "says"),
    [
        (endless_chunks, "sends more than the limit of 0.001 gigabytes; --max-gigabytes"),
        (endless_body, "sends more than the limit of 0.001 gigabytes"),
        (length_of_5000_digits, "sends more than|no connection"),
        (
            absurd_length,
            "99,999,999,999,999,999 bytes remain to be downloaded, and 1,000,000 are left",
        ),
        (slow_body, "the server is too slow: 65,536 bytes took over 0.3 s"),
        (slow_headers, "the server is too slow: an answer took over 0.3 s"),
        (endless_continue, "the server is too slow: an answer"),
        (silent, "the server is too slow: an answer"),
        (compressed, r"sent the file compressed \(gzip\)"),
        (
            redirected(b"file:///etc/passwd"),
            "redirects to 'file:///etc/passwd'; only http and https",
        ),
        (redirected(b"ftp://127.0.0.1/words.csd"), "only http and https are followed"),
        (redirected(b"//[bad"), "no connection"),
        (redirected(b"/again"), "no connection.*more than 5 redirections"),
        (no_http, "no connection"),
        (many_headers, "no connection"),
        (long_header, "no connection"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_hostile_server_costs_one_message(rogue, tmp_path, behave, says):
    began = time.monotonic()
    with pytest.raises(DataError, match=says) as raised:
        rogue(behave, limits=Limits(gigabytes=0.001))
    assert time.monotonic() - began < SOON
    assert str(raised.value).count("Type the same command to try again; or name another") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_time_of_all_files_together_is_limited(rogue, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "_PATIENCE", 60)
    with pytest.raises(DataError, match="not complete after 0.0001 hours; --max-hours"):
        rogue(slow_body, limits=Limits(hours=0.0001))
    assert list(tmp_path.iterdir()) == []


def test_what_came_in_the_time_is_kept_where_it_can_be_resumed(site, get, tmp_path):
    limits = Limits()
    limits.spend = lambda count: setattr(limits, "_deadline", 0)  # the time is over after one chunk
    with pytest.raises(DataError, match="--max-hours allows more time.*which resumes"):
        get(limits=limits)
    came = (tmp_path / f"{WORDS}.part").stat().st_size
    site.asked.clear()
    get()
    assert came > 0 and site.asked[0]["Range"] == f"bytes={came}-"


def test_a_redirection_over_http_is_followed(site, get, mirror):
    path = next(iter(site.files))
    content = site.files.pop(path)
    site.files["moved.csd"], site.moved = content, {path: f"{mirror}/moved.csd"}
    assert get()[0].read_bytes() == content


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_limit_is_a_number_above_0(value):
    with pytest.raises(ConfigError, match="--max-hours .*expected a number above 0"):
        Limits(hours=value)
    with pytest.raises(ConfigError, match="--max-gigabytes"):
        Limits(gigabytes=value)
