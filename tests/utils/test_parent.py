"""A child ends with its parent, and ends its own children."""

import inspect
import os
import signal
import subprocess
import sys
import time

import pytest

from mmf_cmsbert.utils.parent import end_with_parent
from mmf_cmsbert.utils.processes import is_running

SOURCE = inspect.getsource(end_with_parent)


def start(rest, patience=0.3):
    """A child with a grandchild, whose process id it prints."""
    program = (
        f"{SOURCE}\nend_with_parent({patience})\nimport signal, subprocess, sys, time\n{rest}\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        # SIGTERM may arrive as soon as the id is printed, so it is printed inside.
        "try:\n    print(child.pid, flush=True)\n    time.sleep(60)\n"
        "finally:\n    print('saved', flush=True)\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
SAVES = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))"


@pytest.mark.parametrize("rest", ["", IGNORES])
def test_nothing_outlives_the_parent_even_where_sigterm_is_ignored(rest):
    child = start(rest)
    grandchild = int(child.stdout.readline())
    child.stdin.close()  # the effect of the parent's end
    assert child.wait(10) == (-signal.SIGKILL if rest else -signal.SIGTERM)
    if rest:
        deadline = time.monotonic() + 5
        while is_running(grandchild) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not is_running(grandchild)
    else:
        os.kill(grandchild, signal.SIGKILL)


def test_a_child_has_time_to_save():
    child = start(SAVES, patience=30)
    grandchild = int(child.stdout.readline())
    child.stdin.close()
    assert child.wait(10) == 143
    os.kill(grandchild, signal.SIGKILL)  # it has the same output
    assert child.stdout.read() == "saved\n"
