"""What an experiment needs of an engine, and the engines by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from mmf_cmsbert.experiments.job import Job

EngineName = Literal["local", "slurm", "ray"]


class Process(Protocol):
    """A started or queued run."""

    def poll(self) -> int | None:
        """Return the exit status, or None while it waits or runs."""

    def stop(self) -> None:
        """End it, unless the engine's runs outlive this command."""

    def progress(self) -> tuple[int, int] | None:
        """Return the updates made and in total; None if unknown."""

    def error(self, status: int, recorded: str | None) -> str:
        """Return why it failed, in one line."""


class Engine(Protocol):
    """Starts runs.

    Attributes:
        slots: number of runs to start at once; None if the engine queues all of them itself.
    """

    slots: int | None

    def prepare(self, jobs: Sequence[Job]) -> None:
        """Queue the jobs, before the first is started; find again those that are queued already."""

    def start(self, job: Job, slot: int) -> Process:
        """Start a prepared job in a slot."""

    def left(self) -> str | None:
        """Describe runs that outlive this command, and how to cancel them; None without any."""


@dataclass(frozen=True)
class Resources:
    """What a run needs, and where it is made.

    Attributes:
        jobs: runs at once.
        cpus: cores of a run; None for the engine's default.
        gpus: GPUs of a run.
        memory: memory of a run, in GB; None for the engine's default.
        minutes: longest time of a run between two checkpoints of the queue; None for its default.
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
        resources: what each run needs.
        folder: the experiment's folder, which all machines see.

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
