"""What an engine is given and what it does, and the engines by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

EngineName = Literal["local", "slurm", "ray"]


class Task(Protocol):
    """A job for an engine: a process with its own folder, such as a run of an experiment.

    Attributes:
        label: its name, for the user.
        folder: its folder, on a file system that all machines see.
        log: the file for its output, in which ``progress: 3/10`` states its progress.
        words: the words of its command line.
        entry: ``MODULE:FUNCTION``, which is called on a machine with ``words`` in ``sys.argv``. The
            job may be started several times; each start continues the work of the one before.
        weight: its share of the whole, for the progress display.
    """

    @property
    def label(self) -> str: ...

    @property
    def folder(self) -> Path: ...

    @property
    def log(self) -> Path: ...

    @property
    def words(self) -> tuple[str, ...]: ...

    @property
    def entry(self) -> str: ...

    @property
    def weight(self) -> int: ...

    def recorded_error(self) -> str | None:
        """Return the error that a failed job recorded in its folder; None without a record."""

    def missing(self) -> str | None:
        """Return which results a job lacks that ended without an error; None if none."""

    def result(self) -> str:
        """Describe the results of a finished job, in one line."""


class Process(Protocol):
    """A started or queued job."""

    def poll(self) -> int | None:
        """Return the exit status, or None while it waits or runs."""

    def stop(self) -> None:
        """End it, unless the engine's jobs outlive this command."""

    def progress(self) -> tuple[int, int] | None:
        """Return the updates made and in total; None if unknown."""

    def error(self, status: int, recorded: str | None) -> str:
        """Return why it failed, in one line."""


class Engine(Protocol):
    """Starts jobs.

    Attributes:
        slots: number of jobs to start at once; None if the engine queues all of them itself.
    """

    slots: int | None

    def prepare(self, jobs: Sequence[Task]) -> None:
        """Queue the jobs, before the first is started; find again those that are queued already."""

    def start(self, job: Task, slot: int) -> Process:
        """Start a prepared job in a slot."""

    def left(self) -> str | None:
        """Describe jobs that outlive this command, and how to cancel them; None without any."""


@dataclass(frozen=True)
class Resources:
    """What a job needs, and where it is done.

    Attributes:
        jobs: jobs at once.
        cpus: cores of a job; None for the engine's default.
        gpus: GPUs of a job.
        memory: memory of a job, in GB; None for the engine's default.
        minutes: longest time of a job between two checkpoints of the queue; None for its default.
        partition: of Slurm.
        options: further options of ``sbatch``, name -> value.
        address: of Ray's dashboard.
    """

    jobs: int = 1
    cpus: int | None = None
    gpus: int = 0
    memory: float | None = None
    minutes: int | None = None
    partition: str | None = None
    options: Mapping[str, str] | None = None
    address: str | None = None


def engine_named(name: EngineName, resources: Resources, folder: Path) -> Engine:
    """Return the engine of this name.

    Args:
        name: ``local``, ``slurm`` or ``ray``.
        resources: what each job needs.
        folder: the folder of the results, which all machines see.

    Raises:
        ConfigError: the engine's library is not installed, or there is no cluster.
    """
    if name == "local":
        from mmf_cmsbert.experiments.engines.local import LocalEngine

        return LocalEngine(resources.jobs)
    if name == "slurm":
        from mmf_cmsbert.experiments.engines.slurm import SlurmEngine

        return SlurmEngine(resources, folder)
    from mmf_cmsbert.experiments.engines.ray import RayEngine

    return RayEngine(resources)
