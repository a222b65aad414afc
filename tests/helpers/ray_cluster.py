"""A Ray cluster of two nodes on this machine, on loopback, with a token."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import process_trees

_ON_LOOPBACK = ("--node-ip-address", "127.0.0.1", "--num-cpus", "1", "--block")


class RayCluster:
    """Starts the cluster, with one core a node; a context manager. ``environment`` reaches it."""

    def __init__(self, folder: Path):
        token = folder / "token"
        token.write_text(secrets.token_hex(32))  # as ray get-auth-token --generate does
        scripts = os.path.dirname(sys.executable)
        self.environment = os.environ | {
            "OMP_NUM_THREADS": "1",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
        }
        self._folder, self._started = folder, []
        self._port, self._dashboard = _free_port(), _free_port()
        self.address = f"http://127.0.0.1:{self._dashboard}"

    def __enter__(self) -> "RayCluster":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.lose()

    def start(self) -> None:
        """Start the head and another node."""
        ports = ("--port", str(self._port), "--dashboard-port", str(self._dashboard))
        self._start("--head", *ports)
        _wait(self._answers, "Ray's dashboard")
        self.start_node()

    def start_node(self) -> None:
        self._start("--address", f"127.0.0.1:{self._port}")

    def lose_node(self) -> None:
        """Kill the last node with everything that it started."""
        process_trees.kill([self._started[-1].pid])
        self._started.pop().wait()

    def lose(self) -> None:
        """Kill all nodes."""
        while self._started:
            self.lose_node()

    def _start(self, *words: str) -> None:
        log = open(self._folder / f"node-{time.monotonic_ns()}.out", "wb")  # noqa: SIM115
        self._started.append(
            subprocess.Popen(
                ["ray", "start", *words, *_ON_LOOPBACK], env=self.environment, stdout=log,
                stderr=subprocess.STDOUT,
            )
        )  # fmt: skip

    def _answers(self) -> bool:
        token = (self._folder / "token").read_text()
        asked = urllib.request.Request(
            f"{self.address}/api/jobs/", headers={"Authorization": f"Bearer {token}"}
        )
        with suppress(OSError), urllib.request.urlopen(asked, timeout=5) as answer:
            return answer.status == 200
        return False


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _wait(ready, what: str, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"{what} did not start within {seconds:g} s"
        time.sleep(0.5)
