"""A local server with configurable faults, and downloads from it."""

import re
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from served_files import Site

from mmf_cmsbert.datasets.download import transfer
from mmf_cmsbert.datasets.download.download import download


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def mirror(site, monkeypatch):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            site.asked.append(dict(self.headers))
            if target := site.moved.get(self.path.lstrip("/")):
                self.send_response(302)
                self.send_header("Location", target)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
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
    """Download into ``tmp_path``, by default the words of MOSI."""

    def get(*features, **options):
        said = []
        options = {"mirror": mirror, "progress": False, "say": said.append} | options
        get.said = said
        return download("mosi", tmp_path, features=features or ("words",), **options)

    return get


@pytest.fixture
def rogue(monkeypatch, tmp_path):
    """Download the words of MOSI from a server whose answers a test defines.

    The fixture is a function of the server's answer, which is called with the connected socket.
    """
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(transfer, "_PAUSE", 0)
    monkeypatch.setattr(transfer, "_PATIENCE", 0.3)
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    threads = []

    def serve(behave):
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=handle, args=(connection, behave)))
            threads[-1].start()

    def handle(connection, behave):
        with connection, suppress(OSError):
            connection.recv(10_000)
            behave(connection, ended)

    def get(behave, **options):
        threads.append(threading.Thread(target=serve, args=(behave,)))
        threads[-1].start()
        mirror = f"http://127.0.0.1:{listener.getsockname()[1]}"
        options = {"progress": False, "say": lambda _: None, "features": ("words",)} | options
        return download("mosi", tmp_path / "new", mirror=mirror, **options)

    yield get
    ended.set()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for thread in threads:
        thread.join(5)
