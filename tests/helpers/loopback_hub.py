"""A local hub that answers the requests of ``huggingface_hub`` and ``datasets`` for one dataset."""

import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

REPOSITORY = "owner/segments"
COMMIT = "1" * 40


class Hub:
    """The files of a dataset, and faults of the hub.

    Attributes:
        files: path -> content.
        fault: ``cut`` (a file ends early), ``checksum`` (one byte differs), ``busy`` (status 429),
            or None.
        asked: the requested paths.
        sent: bytes of files that were sent.
        commits: bodies of the commits that were pushed.
    """

    def __init__(self, files):
        self.files, self.fault, self.asked, self.sent = files, None, [], 0
        self.commits, self.token = [], None


@contextlib.contextmanager
def serving(hub):
    """Serve a hub on the loopback interface; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def do_POST(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlparse(self.path).path
        self.hub.asked.append(path)
        self.hub.token = self.headers.get("Authorization")
        if path == "/api/repos/create":
            page = f"http://{self.headers['Host']}/datasets/{REPOSITORY}"
            self._json({"url": page, "name": REPOSITORY})
        elif path == "/api/validate-yaml":
            self._json({"errors": [], "warnings": []})
        elif "/preupload/" in path:
            files = json.loads(content)["files"]
            self._json({"files": [_upload_mode(each) for each in files]})
        elif "/commit/" in path:
            self.hub.commits.append([json.loads(line) for line in content.splitlines()])
            page = f"http://{self.headers['Host']}/datasets/{REPOSITORY}/commit/{COMMIT}"
            self._json({"commitUrl": page, "commitOid": COMMIT, "success": True})
        elif "/paths-info/" in path:
            self._json(self._tree())
        else:
            self._missing("EntryNotFound")

    def _answer(self, body):
        path = urlparse(self.path).path
        self.hub.asked.append(path)
        # A model has the same files and answers, at addresses of its own.
        path = path.replace("/api/models/", "/api/datasets/")
        path = f"/datasets{path}" if path.startswith(f"/{REPOSITORY}/resolve/") else path
        if self.hub.fault == "busy":
            self._send(429, b"too many requests", {}, body)
            return
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "datasets"] and "/".join(parts[2:4]) != REPOSITORY:
            self._missing("RepoNotFound", body)
        elif parts[:2] == ["api", "datasets"]:
            revision = parts[5] if len(parts) > 5 else "main"
            if revision not in ("main", COMMIT):
                self._missing("RevisionNotFound", body)
            elif len(parts) > 4 and parts[4] == "tree":
                recursive = "recursive=true" in urlparse(self.path).query.lower()
                self._json(self._tree("/".join(parts[6:]), recursive), body)
            else:
                names = [{"rfilename": name} for name in self.hub.files]
                self._json({"id": REPOSITORY, "sha": COMMIT, "siblings": names}, body)
        elif parts[:1] == ["datasets"] and len(parts) > 4 and parts[3] == "resolve":
            self._file("/".join(parts[5:]), body)
        else:
            self._missing("EntryNotFound", body)

    def _tree(self, folder="", recursive=True):
        found = {}
        for name, content in self.hub.files.items():
            path = Path(name)
            for above in path.parents[:-1]:
                found[str(above)] = {"type": "directory", "path": str(above), "oid": "3" * 40}
            found[name] = {"type": "file", "path": name, "size": len(content), "oid": "2" * 40}
        return [
            each
            for name, each in found.items()
            if (recursive and Path(name).is_relative_to(folder or "."))
            or str(Path(name).parent) == (folder or ".")
        ]

    def _file(self, name, body):
        if name not in self.hub.files:
            self._missing("EntryNotFound", body)
            return
        content = self.hub.files[name]
        etag = hashlib.sha256(content).hexdigest()
        if self.hub.fault == "checksum":
            content = content[:-1] + bytes([content[-1] ^ 1])
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        status, whole = 200, len(content)
        if wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first or 0), int(last or whole - 1)
            content, status = content[start : end + 1], 206
            headers["Content-Range"] = f"bytes {start}-{end}/{whole}"
        self._send(status, content, headers, body, cut=self.hub.fault == "cut")

    def _missing(self, code, body=True):
        self._send(404, b"{}", {"X-Error-Code": code, "X-Error-Message": "not found"}, body)

    def _json(self, content, body=True):
        kind = {"Content-Type": "application/json", "X-Repo-Commit": COMMIT}
        self._send(200, json.dumps(content).encode(), kind, body)

    def _send(self, status, content, headers, body, cut=False):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        if cut:
            self.send_header("Connection", "close")
        self.end_headers()
        if body:
            part = content[: len(content) // 2] if cut else content
            self.wfile.write(part)
            self.hub.sent += len(part)
        if cut:
            self.close_connection = True


def _upload_mode(file):
    return {
        "path": file["path"],
        "uploadMode": "regular",
        "shouldIgnore": False,
        "oid": None,
    }
