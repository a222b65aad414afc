"""Run cases in forked processes with limits of memory and time."""

import os
import pickle
import resource
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from mmf_cmsbert.errors import UserError

# Seconds of computing, which do not depend on other processes; and, for a case that waits, in all.
MOST_SECONDS, MOST_SECONDS_WAITING, MOST_BYTES = 10, 60, 1 << 30
_CASES_A_CHILD = 25


def outcomes(cases: Sequence[int], run: Callable[[int], str]) -> Iterator[tuple[int, str]]:
    """Yield each case with its outcome: the result of ``run``, or the end of its process.

    A :class:`UserError` is ``refused``; any other exception is a traceback. A case that takes more
    than :data:`MOST_SECONDS`, or :data:`MOST_BYTES` more than before, is named as such.
    """
    left = list(cases)
    while left:
        batch = left[:_CASES_A_CHILD]
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _become(batch, run, writing)
        os.close(writing)
        with os.fdopen(reading, "rb") as results:
            done = 0
            while header := results.read(4):
                yield batch[done], pickle.loads(results.read(int.from_bytes(header, "little")))
                done += 1
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if done < len(batch):
            hung = status in (-signal.SIGPROF, -signal.SIGALRM)
            name = "a hang" if hung else f"ended with {status}"
            yield batch[done], name
            done += 1
        left = left[done:]


def _become(batch: Sequence[int], run: Callable[[int], str], writing: int) -> None:
    # Arrow's other pools reserve address space that they do not use, which the limit counts.
    pa.set_memory_pool(pa.system_memory_pool())
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_BYTES,) * 2)
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    devnull = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(devnull, number)
    for case in batch:
        signal.alarm(MOST_SECONDS_WAITING)
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        try:
            found = run(case)
        except UserError as error:
            found = "more than a GiB" if "MemoryError" in str(error) else "refused"
        except BaseException:
            found = traceback.format_exc()
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_PROF, 0)
        answer = pickle.dumps(found)
        os.write(writing, len(answer).to_bytes(4, "little") + answer)
    os._exit(0)
