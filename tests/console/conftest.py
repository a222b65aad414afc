import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _heed_interrupts():
    """Undo that shells start background commands, and nohup all, with signals ignored."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Typed:
    """A process that runs a console command written for a test.

    Args:
        body: Python code of the command; it prints "ready" when a signal can be sent.
        options: for ``subprocess.Popen``.
    """

    def __init__(self, body, **options):
        program = "import os, sys, time\nfrom mmf_cmsbert import console\n"
        program += "from mmf_cmsbert.console import signals\n" + textwrap.dedent(body)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            preexec_fn=_heed_interrupts,
            **(pipes | options),
        )

    def ready(self):
        """Wait until it has printed "ready"."""
        assert self.process.stdout.readline() == "ready\n", self.process.stderr.read()
        return self

    def send(self, *numbers, pause=0.05):
        for number in numbers:
            self.process.send_signal(number)
            time.sleep(pause)
        return self

    def ended(self):
        """Return exit status, standard output and standard error."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture
def type_command():
    made = []

    def make(body, **options):
        made.append(Typed(body, **options))
        return made[-1]

    yield make
    for each in made:
        each.process.kill()
        each.process.communicate()
