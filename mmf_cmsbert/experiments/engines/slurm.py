"""Jobs of Slurm, submitted as one array through submitit."""

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.experiments.engines import submission
from mmf_cmsbert.experiments.engines.engine import Resources, Task
from mmf_cmsbert.experiments.engines.on_node import RunOnNode
from mmf_cmsbert.experiments.engines.submission import Submission
from mmf_cmsbert.experiments.process import error_of, progress_in

# Seconds between two questions to Slurm, and until a result must be seen on a shared folder.
_LOOK, _GRACE = 10.0, 30.0
_MINUTES = 24 * 60
# A job is queued again this often when its time is over. Each time it has made progress.
_TIMES = 100
# Slurm tells a run to save this many seconds before its time limit, and at most a quarter of the
# limit before it. Slurm may send the signal up to a minute too early.
_WARNING = 90


class SlurmQueue:
    """The user's jobs in Slurm's queue, asked for at most every ten seconds.

    ``squeue`` is used, because ``sacct`` (and so submitit's states) needs Slurm's accounting.

    Args:
        ask: returns the text of ``squeue``; None if Slurm does not answer.
        clock: seconds.
    """

    def __init__(
        self,
        ask: Callable[[], str | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._ask, self._clock = ask or _squeue, clock
        self._asked: float | None = None
        self._ids: frozenset[str] | None = None

    def holds(self, id: str) -> bool:
        """Return whether a job waits or runs; true if Slurm does not answer."""
        now = self._clock()
        if self._asked is None or now - self._asked >= _LOOK:
            text = self._ask()
            self._asked, self._ids = now, None if text is None else frozenset(text.split())
        return self._ids is None or id in self._ids


def _squeue() -> str | None:
    words = ["squeue", "--noheader", "--array", "--user", getpass.getuser(), "--format", "%i"]
    try:
        ended = subprocess.run(words, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout if ended.returncode == 0 else None


class SlurmRun:
    """A job in Slurm's queue. It continues when this command ends.

    Args:
        id: the job's number, with that of its task in an array.
        folder: submitit's folder.
        log: the file of the job's output.
        queue: the jobs in Slurm's queue.
    """

    def __init__(self, id: str, folder: Path, log: Path, queue: SlurmQueue):
        from submitit.slurm.slurm import SlurmJob

        self.id, self.log, self._queue = id, log, queue
        self._job: Any = SlurmJob(folder, id)
        self._gone: float | None = None
        self._why: str | None = None

    def poll(self) -> int | None:
        if self._job.paths.result_pickle.is_file():
            return self._status()
        if self._queue.holds(self.id):
            self._gone = None
            return None
        now = time.monotonic()
        self._gone = self._gone or now
        if now - self._gone < _GRACE:  # a shared folder may show the result late
            return None
        self._why = (
            f"job {self.id} left Slurm's queue without a result: it was cancelled, or its node "
            f"failed and Slurm did not queue it again; see {self._job.paths.stderr}"
        )
        return 1

    def _status(self) -> int:
        from submitit.core.utils import FailedJobError, UncompletedJobError

        try:
            return int(self._job.result())
        except (FailedJobError, UncompletedJobError) as error:
            last = str(error).strip().splitlines()[-1]
            self._why = last.removeprefix(f"{ConfigError.__module__}.{ConfigError.__name__}: ")
            return 1

    def stop(self) -> None:
        pass

    def progress(self) -> tuple[int, int] | None:
        return progress_in(self.log) if self.log.is_file() else None

    def error(self, status: int, recorded: str | None) -> str:
        return self._why or error_of(self.log, status, recorded)


class SlurmEngine:
    """Submits jobs to Slurm, all at once as an array.

    Args:
        resources: what each job needs.
        folder: the folder of the results, on a file system that all nodes see.

    Raises:
        ConfigError: submitit or Slurm is missing.
    """

    slots: int | None = None

    def __init__(self, resources: Resources, folder: Path):
        try:
            import submitit
        except ImportError as error:
            raise ConfigError(
                "submitit is not installed; type pip install 'mmf_cmsbert[slurm]'"
            ) from error
        missing = [name for name in ("sbatch", "srun", "squeue") if shutil.which(name) is None]
        if missing:
            raise ConfigError(
                f"there is no {missing[0]} on this machine; --engine slurm is typed on a login "
                "node of a Slurm cluster"
            )
        self._folder = (folder / "slurm").resolve()
        self._threads = resources.cpus or int(os.environ.get("OMP_NUM_THREADS", 0)) or 1
        self._executor = submitit.AutoExecutor(
            self._folder, cluster="slurm", slurm_max_num_timeout=_TIMES
        )
        self._executor.update_parameters(**_parameters(resources, self._threads))
        self._queue = SlurmQueue()
        self._runs: dict[Task, SlurmRun] = {}

    def prepare(self, jobs: Sequence[Task]) -> None:
        new = []
        for job in jobs:
            found = submission.find(job)
            if found and found.engine == "slurm" and self._queue.holds(found.id):
                submission.check_words(found, job.words, f"scancel {found.id}")
                self._runs[job] = SlurmRun(found.id, Path(found.where), job.log, self._queue)
            else:
                new.append(job)
        if not new:
            return
        try:
            with self._executor.batch():
                queued = [
                    self._executor.submit(
                        RunOnNode(job.entry, job.words, job.log.resolve(), self._threads)
                    )
                    for job in new
                ]
        except Exception as error:  # submitit passes sbatch's errors on in several types
            reason = " ".join(str(error).split())
            raise ConfigError(f"Slurm did not take the jobs: {reason}") from error
        for job, made in zip(new, queued, strict=True):
            Submission("slurm", made.job_id, str(self._folder), job.words).write(job)
            self._runs[job] = SlurmRun(made.job_id, self._folder, job.log, self._queue)

    def start(self, job: Task, slot: int) -> SlurmRun:
        return self._runs[job]

    def left(self) -> str | None:
        ids = sorted({run.id.split("_")[0] for run in self._runs.values() if run.poll() is None})
        if not ids:
            return None
        return f"Jobs stay in Slurm's queue; to cancel them: scancel {' '.join(ids)}"


def _parameters(resources: Resources, threads: int) -> dict[str, Any]:
    minutes = resources.minutes or _MINUTES
    found: dict[str, Any] = {
        "name": "cmsbert",
        "cpus_per_task": threads,
        "timeout_min": minutes,
        "slurm_signal_delay_s": min(_WARNING, minutes * 60 // 4),
        "slurm_array_parallelism": max(resources.jobs, 1),
    }
    if resources.gpus:
        found["gpus_per_node"] = resources.gpus
    if resources.memory:
        found["mem_gb"] = resources.memory
    if resources.partition:
        found["slurm_partition"] = resources.partition
    if resources.options:
        found["slurm_additional_parameters"] = dict(resources.options)
    return found
