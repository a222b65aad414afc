"""``cmsbert ablate``: its arguments, and the call that does the work."""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from mmf_cmsbert.commands.engine_options import Place, with_place
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.utils.folder_lock import locked
from mmf_cmsbert.utils.unfinished import look_through

ELSEWHERE = "--output FOLDER"

Jobs = Annotated[
    int,
    typer.Option(
        min=1, help="Runs at once; on this machine cores are divided among them, GPUs used in turn."
    ),
]
Base = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="Replaces the recipes' includes, for example --base projects/cmsbert/demo.yaml. "
        "If given more than once (for folds), each recipe runs over each base.",
    ),
]


@with_place
def ablate(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RECIPE... [KEY=VALUE...]",
            help="Files, or names of recipes in projects/cmsbert/ablations. The others are "
            "compared with the first. KEY=VALUE applies to all of them.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 1 to this run.")] = 5,
    jobs: Jobs = 1,
    base: Base = None,
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for runs and results.", show_default="save/ablations"),
    ] = None,
    validation: Annotated[
        bool,
        typer.Option(
            "--validation",
            help="Compare the best validation scores, for choices; test is not scored.",
        ),
    ] = False,
    difference: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Also state how many seeds show a difference of this size, such as 0.01 of MAE.",
            show_default=False,
        ),
    ] = None,
    keep_weights: Annotated[
        bool, typer.Option("--keep-weights", help="Keep the checkpoints of finished runs.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace the tables of another experiment in the folder; runs that belong to both "
            "are kept.",
        ),
    ] = False,
    check: Annotated[
        Path | None,
        typer.Option(
            metavar="RECORD",
            help="Instead: repeat the run of this run.json, and compare its scores.",
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Largest accepted difference of a score for --check.")
    ] = 1e-6,
    *,
    place: Place,
) -> None:
    """Run recipes over seeds with mmf_run; write tables of mean and spread, and paired comparisons.

    Finished runs are skipped. Failures are listed at the end, with status 1.
    """
    recipes, values = split_words(words or [])
    if check is not None:
        if recipes:
            raise ConfigError(f"--check takes no recipes; remove {recipes[0]}")
        _check(check, values, tolerance, output, overwrite)
    if not recipes:
        raise ConfigError(
            "no recipe; type for example cmsbert ablate cms_clr mag text_only "
            "--base projects/cmsbert/demo.yaml"
        )
    from rich.console import Console

    from mmf_cmsbert.experiments import ablation, experiment, job, recipe

    folder = (output or Path("save/ablations")).expanduser()
    files = [recipe.find(word) for word in recipes]
    bases = [recipe.find(word) for word in base or []]
    command = ["cmsbert", *sys.argv[1:]]
    with locked(folder, shlex.join(command), ELSEWHERE):
        look_through(folder)
        planned = job.plan(
            files,
            bases,
            range(1, seeds + 1),
            values,
            folder,
            job.resolve,
            "train_val" if validation else "train_val_inference",
        )
        experiment.begin(folder, planned, shlex.join(command), overwrite)
        finished = ablation.ablate(
            planned,
            folder,
            place.start(jobs, folder),
            Console(),
            command,
            keep_weights,
            difference,
        )
    if not finished:
        raise typer.Exit(1)


def _check(
    file: Path, options: Sequence[str], tolerance: float, output: Path | None, overwrite: bool
) -> None:
    from rich.console import Console

    from mmf_cmsbert.experiments import check

    folder = output or Path(tempfile.mkdtemp(prefix="cmsbert_check_"))
    with locked(folder, shlex.join(["cmsbert", *sys.argv[1:]]), ELSEWHERE):
        same = check.check(file, options, tolerance, folder, Console(), overwrite=overwrite)
    if not same:
        raise typer.Exit(1)
    if not output:  # a run that failed or differs is kept
        shutil.rmtree(folder)
    raise typer.Exit


def split_words(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate recipes from ``KEY=VALUE`` options."""
    options = [word for word in words if "=" in word]
    return [word for word in words if "=" not in word], options
