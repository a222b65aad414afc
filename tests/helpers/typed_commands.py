"""Commands as a user types them, each in a process of its own, without the seconds of its imports.

``TypedCommands`` starts this file once as a process that imports the commands, and has it fork for
each command. A fork has everything that an import leaves, and nothing else, as a new process has.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path


class TypedCommands:
    """Types commands one after the other; close it at the end."""

    def __init__(self):
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, command: str, words: Sequence[str], folder: Path) -> subprocess.CompletedProcess:
        """Type ``command words`` in ``folder``; ``subprocess.run`` gives the same."""
        with tempfile.TemporaryDirectory() as scratch:
            files = [str(Path(scratch) / name) for name in ("out", "err")]
            request = [command, *map(str, words)], str(folder), files
            self._server.stdin.write(json.dumps(request) + "\n")
            self._server.stdin.flush()
            status = int(self._server.stdout.readline())
            out, err = (Path(file).read_text() for file in files)
        return subprocess.CompletedProcess(request[0], status, out, err)

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait()


def _serve() -> None:
    from mmf_cmsbert import cli
    from mmf_cmsbert.cli import start  # noqa: F401  what a new process imports first

    for line in sys.stdin:
        typed, folder, files = json.loads(line)
        process = os.fork()
        if process == 0:
            _become(cli, typed, folder, files)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def _become(cli, typed: Sequence[str], folder: str, files: Sequence[str]) -> None:
    """Be the process of a command, to its end."""
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    sys.argv = list(typed)
    status = 1
    try:
        getattr(cli, typed[0])()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
