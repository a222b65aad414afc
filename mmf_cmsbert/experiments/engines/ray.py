"""Jobs of a Ray cluster. They go on when this command ends."""

import os
import shlex
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import ConfigError, UserError
from mmf_cmsbert.experiments.engines import submission
from mmf_cmsbert.experiments.engines.engine import Resources, Task
from mmf_cmsbert.experiments.engines.submission import Submission
from mmf_cmsbert.experiments.process import error_of, progress_in

_ADDRESS = "http://127.0.0.1:8265"
# A job is submitted again this often if its node is lost.
_TIMES = 10
_LOOK = 2.0
# Seconds without an answer, for example while the cluster's head starts again.
_SILENCE = 300.0
_MODULE = "mmf_cmsbert.experiments.engines.on_node"


class RayRun:
    """A job on a Ray cluster.

    Args:
        engine: submits it again if its node is lost.
        job: the job.
        id: of its submission.
        clock: seconds.
    """

    def __init__(
        self,
        engine: "RayEngine",
        job: Task,
        id: str,
        clock: Callable[[], float] = time.monotonic,
    ):
        self.job, self.id = job, id
        self._engine, self._lost = engine, 0
        self._clock, self._answered = clock, clock()
        self._why: str | None = None

    def poll(self) -> int | None:
        state = self._engine.state(self.id)
        if state is None:
            return self._unanswered()
        self._answered = self._clock()
        if not state.status.is_terminal():
            return None
        if state.status == "SUCCEEDED":
            return 0
        if state.status == "FAILED" and state.driver_exit_code is None and self._lost < _TIMES:
            self._lost += 1
            self.id = self._engine.submit(self.job)
            return None
        if state.driver_exit_code is None:
            reason = " ".join(str(state.message).split())
            self._why = f"Ray ended {self.id} ({state.status}): {reason}"
        return state.driver_exit_code or 1

    def _unanswered(self) -> int | None:
        if self._clock() - self._answered < _SILENCE:
            return None
        self._why = (
            f"Ray has not answered at {self._engine.address} for {_SILENCE / 60:.0f} minutes; "
            "type the same command when it does: it finds the run, or resumes it"
        )
        return 1

    def stop(self) -> None:
        pass

    def progress(self) -> tuple[int, int] | None:
        return progress_in(self.job.log) if self.job.log.is_file() else None

    def error(self, status: int, recorded: str | None) -> str:
        return self._why or error_of(self.job.log, status, recorded)


class RayEngine:
    """Submits jobs to Ray, at most ``resources.jobs`` at a time.

    Not all at once: Ray fails jobs that wait longer than its start timeout.

    Args:
        resources: what each job needs, and the address of Ray's dashboard.

    Raises:
        ConfigError: Ray is not installed, or does not answer.
    """

    def __init__(self, resources: Resources):
        try:
            from ray.job_submission import JobSubmissionClient
        except ImportError as error:
            raise ConfigError(
                "Ray is not installed; type pip install 'mmf_cmsbert[ray]'"
            ) from error
        self.slots: int | None = resources.jobs
        self._resources = resources
        self._threads = resources.cpus or int(os.environ.get("OMP_NUM_THREADS", 0)) or 1
        self.address = resources.address or os.environ.get("RAY_API_SERVER_ADDRESS", _ADDRESS)
        try:
            self._client: Any = JobSubmissionClient(self.address)
        except Exception as error:  # Ray's errors have no common class
            reason = " ".join(str(error).split())
            raise ConfigError(
                f"Ray does not answer at {self.address} ({reason}); start it with ray start "
                "--head, or type --address URL of its dashboard"
            ) from error
        self._runs: list[RayRun] = []
        self._seen: dict[str, tuple[float, Any]] = {}

    def prepare(self, jobs: Sequence[Task]) -> None:
        pass

    def start(self, job: Task, slot: int) -> RayRun:
        found = submission.find(job)
        state = self.state(found.id) if found and found.where == self.address else None
        if found and state is not None and not state.status.is_terminal():
            submission.check_words(found, job.words, f"ray job stop {found.id}")
            id = found.id
        else:
            id = self.submit(job)
        self._runs.append(RayRun(self, job, id))
        return self._runs[-1]

    def submit(self, job: Task) -> str:
        """Submit a job, and return the name of its submission."""
        words = [sys.executable, "-m", _MODULE, job.entry, str(job.log.resolve())]
        words += [str(self._threads), *job.words]
        # Words may hold paths that are relative to this folder.
        entry = f"cd {shlex.quote(str(Path.cwd()))} && exec {shlex.join(words)}"
        memory = self._resources.memory
        try:
            id = self._client.submit_job(
                entrypoint=entry,
                submission_id=f"cmsbert-{uuid.uuid4().hex[:12]}",
                entrypoint_num_cpus=self._threads,
                entrypoint_num_gpus=self._resources.gpus or None,
                entrypoint_memory=None if memory is None else int(memory * 2**30),
                runtime_env={"env_vars": _environment()},
            )
        except Exception as error:
            reason = " ".join(str(error).split())
            raise UserError(f"Ray did not take {job.label}: {reason}") from error
        Submission("ray", id, self.address, job.words).write(job)
        return str(id)

    def state(self, id: str) -> Any:
        """Return what Ray knows of a submission, asked for at most every two seconds.

        Returns:
            None if Ray does not answer. A submission that it does not know counts as failed: the
            cluster at this address was replaced by a new one.
        """
        from ray.job_submission import JobInfo, JobStatus

        asked, found = self._seen.get(id, (-_LOOK, None))
        if time.monotonic() - asked >= _LOOK:
            try:
                found = self._client.get_job_info(id)
            except RuntimeError as error:
                unknown = "status code 404" in str(error)
                found = (
                    JobInfo(JobStatus.FAILED, "", "the cluster is a new one") if unknown else None
                )
            except Exception:  # the dashboard starts again
                found = None
            self._seen[id] = time.monotonic(), found
        return found

    def left(self) -> str | None:
        states = {run.id: self.state(run.id) for run in self._runs}
        ids = [id for id, state in states.items() if state and not state.status.is_terminal()]
        if not ids:
            return None
        return "Jobs continue in Ray; to cancel them: " + "; ".join(
            f"ray job stop {i}" for i in ids
        )


def _environment() -> dict[str, str]:
    """The variables of this command that a job may read."""
    return {
        name: value
        for name, value in os.environ.items()
        # Ray's dashboard shows them.
        if (name == "PYTHONPATH" or name.startswith(("HF_", "MMF_"))) and "TOKEN" not in name
    }
