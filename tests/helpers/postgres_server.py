"""A PostgreSQL server of Debian's package, on loopback, for one test."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path


def missing() -> str | None:
    """Return why no server can be started here; None if one can."""
    if not _programs():
        return "PostgreSQL's server is missing (Debian's package postgresql)"
    return None if os.geteuid() == 0 else "only root may start it as the user postgres"


@contextmanager
def postgres():
    """Run a server in a temporary folder, and give the URL of an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="postgres_"))  # pytest's folders are closed to others
    shutil.chown(folder, "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data, programs = folder / "data", _programs()
    _as_postgres(programs / "initdb", "-D", data, "-A", "trust")
    options = f"-p {port} -h 127.0.0.1 -k {folder}"
    _as_postgres(
        programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start"
    )
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        _as_postgres(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


def _programs() -> Path | None:
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


def _as_postgres(*words) -> None:
    subprocess.run(
        ["runuser", "-u", "postgres", "--", *map(str, words)],
        check=True, stdout=subprocess.DEVNULL, cwd="/",
    )  # fmt: skip
