"""The options that say where jobs are done, declared once for every command that has them."""

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mmf_cmsbert.errors import ConfigError

if TYPE_CHECKING:
    from mmf_cmsbert.experiments.engines.engine import Engine

_PANEL = "Where the jobs are done"


@dataclass(frozen=True)
class Place:
    """The place that a user chose for the jobs of a command; each field is an option."""

    engine: Annotated[
        Literal["local", "slurm", "ray"],
        typer.Option(
            help="This machine, Slurm (all jobs as an array), or a Ray cluster. On Slurm and Ray "
            "jobs continue if this command is interrupted; the same command finds them again.",
            rich_help_panel=_PANEL,
        ),
    ] = "local"
    cpus: Annotated[
        int | None,
        typer.Option(min=1, help="Slurm, Ray: cores of a job.", rich_help_panel=_PANEL),
    ] = None
    gpus: Annotated[
        int, typer.Option(min=0, help="Slurm, Ray: GPUs of a job.", rich_help_panel=_PANEL)
    ] = 0
    memory: Annotated[
        float | None,
        typer.Option(min=0.1, help="Slurm, Ray: memory of a job in GB.", rich_help_panel=_PANEL),
    ] = None
    minutes: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Slurm: time limit of a job. A job that reaches it is saved, queued again and "
            "continued.",
            show_default="1440",
            rich_help_panel=_PANEL,
        ),
    ] = None
    partition: Annotated[
        str | None, typer.Option(help="Slurm: the partition.", rich_help_panel=_PANEL)
    ] = None
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Slurm: another option of sbatch, for example --slurm account=lab.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    address: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Ray: its dashboard.",
            show_default="RAY_API_SERVER_ADDRESS or http://127.0.0.1:8265",
            rich_help_panel=_PANEL,
        ),
    ] = None

    def start(self, jobs: int, folder: Path) -> "Engine":
        """Return the engine.

        Args:
            jobs: number of jobs at once.
            folder: the folder of the results, which all machines see.

        Raises:
            ConfigError: an option is invalid, the engine's library is not installed, or there is
                no cluster.
        """
        from mmf_cmsbert.experiments.engines.engine import Resources, engine_named

        needs = Resources(
            jobs,
            self.cpus,
            self.gpus,
            self.memory,
            self.minutes,
            self.partition,
            pairs(self.slurm),
            self.address,
        )
        return engine_named(self.engine, needs, folder)


def with_place(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :class:`Place`, as its last argument ``place``."""
    given = inspect.signature(command)
    options = [
        inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=each.type
        )
        for each in fields(Place)
    ]
    own = [each for name, each in given.parameters.items() if name != "place"]

    @functools.wraps(command)
    def typed(**arguments: Any) -> None:
        place = Place(**{each.name: arguments.pop(each.name) for each in options})
        command(**arguments, place=place)

    typed.__signature__ = given.replace(parameters=[*own, *options])  # type: ignore[attr-defined]
    typed.__annotations__ = {each.name: each.annotation for each in [*own, *options]}
    return typed


def pairs(words: Sequence[str] | None) -> dict[str, str]:
    """Return the options given by ``--slurm NAME=VALUE``.

    Raises:
        ConfigError: a word is not ``NAME=VALUE``.
    """
    found = {}
    for word in words or []:
        name, equals, value = word.partition("=")
        if not (name and equals):
            raise ConfigError(f"--slurm {word}: expected NAME=VALUE, such as account=lab")
        found[name.lstrip("-").replace("-", "_")] = value
    return found
