"""How many threads a process should compute with on a CPU."""

import math
import os
import time
from dataclasses import dataclass
from pathlib import Path

# Seconds over which the load of the cores is measured.
_WINDOW = 0.2
# Variables by which a user, or a launcher such as torchrun, sets the number of threads.
_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
# A core that is idle for most of the time counts as free.
_ROUNDED_UP = 0.4
_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Threads:
    """A number of threads, and the reason for it in a few words."""

    count: int
    why: str


def set_by_user() -> str | None:
    """Return ``NAME=VALUE`` of the environment variable that sets the number; None without one."""
    return next((f"{name}={os.environ[name]}" for name in _VARIABLES if os.environ.get(name)), None)


def usable_cores() -> int:
    """Return the number of cores that this process may use: by its affinity and cgroup's quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cgroup_quota()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def cgroup_quota(root: Path = _GROUPS) -> float | None:
    """Return the cores that the control group may use; None without a limit.

    Args:
        root: where control groups are mounted, version 2 or 1.
    """
    try:
        quota, period = (root / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text(encoding="ascii")
            period = (root / "cpu/cpu.cfs_period_us").read_text(encoding="ascii")
        except OSError:
            return None
    try:
        cores = int(quota) / int(period)
    except ValueError:  # max
        return None
    return cores if cores > 0 else None  # -1: no limit


def free_cores(window: float = _WINDOW) -> float:
    """Return how many usable cores other processes leave idle, measured over a short time.

    Where the load cannot be measured (not Linux), all usable cores count as free.

    Args:
        window: seconds to measure.
    """
    cores = usable_cores()
    before = _busy_seconds()
    if before is None:
        return float(cores)
    own, began = time.process_time(), time.monotonic()
    time.sleep(window)
    passed = time.monotonic() - began
    busy = (_busy_seconds() or before) - before - (time.process_time() - own)
    return max(0.0, cores - max(0.0, busy) / passed)


def choose(most: int, recorded: int | None = None, processes: int = 1) -> Threads:
    """Choose the number of threads of a process that is about to compute.

    Args:
        most: torch's default, the number of physical cores.
        recorded: the number of threads of the run that is resumed: another one changes the order
            of sums, and so the last digits of results.
        processes: processes of this run on this machine, which share the cores.
    """
    if recorded:
        return Threads(recorded, "as in the run that is resumed")
    usable = usable_cores()
    if processes > 1:  # they load each other's cores while they start
        count = max(1, min(most, usable // processes))
        return Threads(count, f"{processes} processes share {usable} usable cores")
    free = free_cores()
    count = max(1, min(most, math.floor(free + _ROUNDED_UP)))
    return Threads(count, f"{free:.1f} of {usable} usable cores free")


def _busy_seconds() -> float | None:
    """Return the seconds that the usable cores have been busy; None if that is unknown."""
    try:
        lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
        usable, tick = os.sched_getaffinity(0), os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return None
    total = 0
    for line in lines:
        name, *values = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in usable:
            user, nice, system, _idle, _waiting, irq, softirq, steal, *_ = map(int, values)
            total += user + nice + system + irq + softirq + steal
    return total / tick
