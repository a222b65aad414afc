"""The options of ``cmsbert ablate`` and ``cmsbert tune`` that say where runs are made."""

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from mmf_cmsbert.errors import ConfigError

_PANEL = "Where runs are made"

EngineName = Annotated[
    Literal["local", "slurm", "ray"],
    typer.Option(
        help="This machine, Slurm (all runs as an array), or a Ray cluster. On Slurm and Ray runs "
        "go on if this command is interrupted; the same command finds them again.",
        rich_help_panel=_PANEL,
    ),
]
Cpus = Annotated[
    int | None,
    typer.Option(min=1, help="Slurm, Ray: cores of a run.", rich_help_panel=_PANEL),
]
Gpus = Annotated[
    int, typer.Option(min=0, help="Slurm, Ray: GPUs of a run.", rich_help_panel=_PANEL)
]
Memory = Annotated[
    float | None,
    typer.Option(min=0.1, help="Slurm, Ray: memory of a run in GB.", rich_help_panel=_PANEL),
]
Minutes = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Slurm: time limit of a run. A run that reaches it is saved, queued again and "
        "resumed.",
        show_default="1440",
        rich_help_panel=_PANEL,
    ),
]
Partition = Annotated[
    str | None, typer.Option(help="Slurm: the partition.", rich_help_panel=_PANEL)
]
SlurmOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm",
        metavar="NAME=VALUE",
        help="Slurm: another option of sbatch, for example --slurm account=lab.",
        rich_help_panel=_PANEL,
    ),
]
Address = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Ray: its dashboard.",
        show_default="RAY_API_SERVER_ADDRESS or http://127.0.0.1:8265",
        rich_help_panel=_PANEL,
    ),
]


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
