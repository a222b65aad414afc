"""Run commands as a user types them, each in a forked process, which saves the time of imports.

``TypedCommands`` starts this file once as a process that imports MMF and the commands, and has it
fork for each command; tests share one, the fixture ``typed_commands``. Tests of the start itself
need a new process.
"""

import atexit
import json
import os
import resource
import selectors
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest


class TypedCommands:
    """Runs commands one after the other; close it at the end."""

    def __init__(self):
        self._server = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, command: str, words: Sequence[str], folder: Path, most_bytes: int | None = None
    ) -> subprocess.CompletedProcess:
        """Run ``command words`` in ``folder``; returns the same as ``subprocess.run``.

        Args:
            command: ``mmf_run``, ``mmf_predict``, ``cmsbert`` or ``pytest``.
            words: its arguments.
            folder: the working folder.
            most_bytes: no file can grow beyond it (``ulimit -f``), as on a full disk.
        """
        typed = [command, *map(str, words)]
        request = {"typed": typed, "folder": str(folder), "most_bytes": most_bytes}
        request["environment"] = dict(os.environ)
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return subprocess.CompletedProcess(typed, **json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait()


def _serve() -> None:
    from mmf_cmsbert import cli, commands
    from mmf_cmsbert.cli import start  # noqa: F401  the first import of a new process
    from mmf_cmsbert.registration import mmf_installed, register

    if mmf_installed():
        register()
        import mmf_cli.run  # noqa: F401
    functions = {
        "mmf_run": cli.mmf_run,
        "mmf_predict": cli.mmf_predict,
        "cmsbert": commands.main,
        "pytest": lambda: sys.exit(int(pytest.main(sys.argv[1:]))),
    }
    for line in sys.stdin:
        request = json.loads(line)
        pipes = os.pipe(), os.pipe()  # no files, whose size may be limited
        process = os.fork()
        if process == 0:
            _become(functions, request, [writing for _, writing in pipes])
        for _, writing in pipes:
            os.close(writing)
        out, err = _read_all([reading for reading, _ in pipes])
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        print(json.dumps({"returncode": status, "stdout": out, "stderr": err}), flush=True)


def _read_all(descriptors: Sequence[int]) -> list[str]:
    """The texts from these pipes, which are read side by side so that none fills up."""
    found = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as selector:
        for each in descriptors:
            selector.register(each, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if block := os.read(key.fd, 1 << 16):
                    found[key.fd] += block
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return [text.decode(errors="replace") for text in found.values()]


def _become(functions: Mapping, request: Mapping, outputs: Sequence[int]) -> None:
    """Run a command in this process until its end."""
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    if (most := request["most_bytes"]) is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    atexit._clear()  # what is registered before belongs to the process that forks
    sys.argv = list(request["typed"])
    status = 1
    try:
        functions[sys.argv[0]]()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
