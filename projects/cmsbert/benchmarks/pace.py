"""A training that makes one step whenever it is told to, and says how long the step took.

Used by peer_worker.py and run_worker.py, so that two programs take their steps in turn. Orders are
lines on standard input, answers are lines of JSON on standard output. This file imports only the
standard library, because peer_worker.py runs in an interpreter with other libraries.
"""

import json
import os
import sys
from pathlib import Path
from time import perf_counter, process_time

# Environment variable: wall, or cpu for the processor time of the process.
CLOCK = "PACE_CLOCK"
STEP, FINISH, MEMORY = "step", "finish", "memory"


class Orders:
    """Orders from standard input, answered on standard output.

    Everything else that the process prints goes to standard error.

    Args:
        answers: order -> function that returns the answer, a mapping.
    """

    def __init__(self, answers=None):
        self.answers = {MEMORY: peak_memory, **(answers or {})}
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def answer(self, **values):
        """Send an answer."""
        self._out.write(json.dumps(values) + "\n")
        self._out.flush()

    def wait(self, wanted=()):
        """Answer orders until one of the wanted ones arrives; return it."""
        for line in sys.stdin:
            order = line.strip()
            if order in wanted:
                return order
            self.answer(**self.answers[order]())
        # The other side has ended. The process is in the middle of a training.
        os._exit(0)


class Pace:
    """Wraps the batches of each epoch: the next batch is read when a step is ordered.

    The time of a step is that from reading its batch until the training asks for the next one. The
    end of an epoch counts for the next step. After the order to finish, the training runs freely.

    Args:
        orders: where orders come from.
        size: function that returns the number of segments in a batch.
        clock: returns seconds.

    Attributes:
        free: whether the order to finish has arrived.
    """

    def __init__(self, orders, size, clock=perf_counter):
        self._orders, self._size, self._clock = orders, size, clock
        self._begun = None
        self.free = False

    def __call__(self, batches):
        """Yield the batches of an epoch."""
        batches = iter(batches)
        while True:
            self._wait()
            try:
                batch = next(batches)
            except StopIteration:
                return
            yield batch
            if not self.free:
                self._orders.answer(seconds=self._clock() - self._begun, segments=self._size(batch))
                self._begun = None

    def _wait(self):
        if self._begun is None and not self.free:
            self.free = self._orders.wait((STEP, FINISH)) == FINISH
            self._begun = self._clock()


def peak_memory():
    """Return the highest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return {"memory": int(status.split("VmHWM:")[1].split()[0]) * 1024}


def clock_of(torch, device):
    """Return a clock, chosen by :data:`CLOCK`, that waits until the device has finished."""
    read = process_time if os.environ.get(CLOCK) == "cpu" else perf_counter

    def now():
        if device.type == "cuda":
            torch.cuda.synchronize()
        return read()

    return now
