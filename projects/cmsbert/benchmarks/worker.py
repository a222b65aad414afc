"""A program that step.py --peer controls: pace.py describes the orders."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import pace


class WorkerError(Exception):
    """A program has ended before it answered; the message has the end of its log."""


class Worker:
    """A running program.

    Args:
        name: what it is, for messages and the name of its log.
        call: command line.
        folder: its working directory, which also gets its log.
        threads: of OpenMP and of the libraries for matrix products; None: the program chooses.
        clock: ``wall`` or ``cpu``, what times steps.

    Raises:
        WorkerError: it cannot be started.
    """

    def __init__(
        self, name: str, call: Sequence[str], folder: Path, threads: int | None, clock: str
    ):
        self.name, self.log = name, folder / f"{name.replace(' ', '_')}.log"
        environment = {pace.CLOCK: clock}
        if threads is not None:
            environment |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
        self._started = perf_counter()
        try:
            with open(self.log, "wb") as log:
                self._process = subprocess.Popen(
                    call,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=folder,
                    env=os.environ | environment,
                    text=True,
                )
        except OSError as error:
            raise WorkerError(f"{call[0]}: {error.strerror}") from error

    def ask(self, order: str) -> dict[str, Any]:
        """Return the answer to an order.

        Raises:
            WorkerError: the program has ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(f"{order}\n")
            self._process.stdin.flush()
            # Other lines were printed before the program took orders.
            answer = next((each for each in self._process.stdout if each.startswith("{")), None)
        except BrokenPipeError:
            answer = None
        if answer is None:
            lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise WorkerError(lines[-1] if lines else f"ended with {self._process.wait()}")
        return json.loads(answer)

    def first_update(self) -> float:
        """Order the first step; return the seconds since the program was started."""
        self.ask(pace.STEP)
        return perf_counter() - self._started

    def end(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def versions_of(*workers: Worker) -> list[Mapping[str, Any]]:
    """Return the versions and threads of each program."""
    return [worker.ask("versions") for worker in workers]
