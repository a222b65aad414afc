"""``cmsbert tune``: its arguments, and the call that does the work."""

import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from mmf_cmsbert.commands.ablate import ELSEWHERE, Jobs, split_words
from mmf_cmsbert.commands.engine_options import Place, with_place
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.utils.folder_lock import locked
from mmf_cmsbert.utils.unfinished import look_through


@with_place
def tune(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="RECIPE [KEY=VALUE...]",
            help="A file, or the name of one in projects/cmsbert/ablations. KEY=VALUE applies to "
            "all trials.",
            show_default=False,
        ),
    ],
    space: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The search space, such as projects/cmsbert/tuning/mosi.yaml.",
            show_default=False,
        ),
    ],
    trials: Annotated[
        int, typer.Option(min=1, help="Settings to try, earlier calls included.")
    ] = 20,
    seeds: Annotated[int, typer.Option(min=1, help="Run each setting with seeds 1 to this.")] = 1,
    jobs: Jobs = 1,
    base: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Replaces the recipe's includes."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for trials and results.", show_default="save/tuning")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another search in the folder.")
    ] = False,
    search_seed: Annotated[int, typer.Option(min=0, help="Seed of the drawn settings.")] = 1,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE",
            help="Share the search with other workers that type the same command: the URL of a "
            "database, as in postgresql://USER@HOST/NAME, or a journal file that all machines see.",
        ),
    ] = None,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="With --storage: end trials whose validation score is worse than the median of "
            "the others at the same update.",
        ),
    ] = False,
    *,
    place: Place,
) -> None:
    """Search a recipe's best setting with Optuna, on validation only.

    After an interruption the same command resumes. The best setting is written as a recipe.
    """
    recipes, values = split_words(words)
    if len(recipes) != 1:
        raise ConfigError(f"expected one recipe; found {', '.join(recipes) or 'none'}")
    from rich.console import Console

    from mmf_cmsbert import paths
    from mmf_cmsbert.experiments import job, recipe
    from mmf_cmsbert.experiments.space import read
    from mmf_cmsbert.experiments.tuning import Tuning

    folder = (output or Path("save/tuning")).expanduser()
    dimensions = read(paths.find(space) or space)
    file = recipe.find(recipes[0])
    if prune and (storage is None or place.engine != "local" or seeds > 1):
        raise ConfigError("--prune needs --storage, --engine local and --seeds 1")
    if storage and overwrite:
        raise ConfigError("--overwrite cannot remove a shared search; type --search-seed NUMBER")
    command = shlex.join(["cmsbert", *sys.argv[1:]])
    # Workers that share a search may share the folder: each trial has a folder of its own.
    with nullcontext() if storage else locked(folder, command, ELSEWHERE):
        if storage is None:
            look_through(folder)
        if base:
            target = folder / "recipes" / f"{recipe.name_of(file)}.yaml"
            file = recipe.over(file, recipe.find(base), target)
        tuning = Tuning(
            file,
            dimensions,
            values,
            range(1, seeds + 1),
            folder,
            place.start(jobs, folder),
            job.resolve,
            Console(),
            storage,
            prune,
        )
        best = tuning.run(trials, search_seed, overwrite)
    if best is None:
        raise typer.Exit(1)
