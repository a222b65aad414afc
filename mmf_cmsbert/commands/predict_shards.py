"""``cmsbert predict`` for many files: each becomes a file of predictions in one folder."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from mmf_cmsbert.commands.engine_options import Place
from mmf_cmsbert.commands.plain_errors import WRONG_INPUT
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.utils.folder_lock import locked
from mmf_cmsbert.utils.unfinished import look_through

_NAMES = {
    "model": "the model",
    "dataset": "--dataset",
    "split": "--split",
    "batch_size": "--batch-size",
    "precision": "--precision",
    "columns": "--column",
    "format": "--format",
}


def predict_shards(
    model: str,
    words: Sequence[Path],
    output: Path,
    options: Mapping[str, Any],
    device: str | None,
    user_dir: Path | None,
    jobs: int,
    place: Place,
) -> None:
    """Predict shards, and print what became of them.

    Args:
        model: a folder, or a name on the Hugging Face hub.
        words: files, folders and patterns.
        output: the folder of results.
        options: ``dataset``, ``split``, ``batch_size``, ``precision``, ``columns`` and ``format``.
        device: as typed, or None.
        user_dir: as typed, or None.
        jobs: jobs at once.
        place: where.

    Raises:
        UserError: the inputs, the model or the folder cannot be used.
        typer.Exit: with status 1 if shards failed, and 2 if rows could not be used.
    """
    import torch
    from rich.console import Console

    import mmf_cmsbert
    from mmf_cmsbert.checkpoints import model_folder
    from mmf_cmsbert.sharding import launch
    from mmf_cmsbert.sharding.inputs import find_shards, name_of
    from mmf_cmsbert.sharding.plan import FOLDER, Plan, Shard
    from mmf_cmsbert.sharding.prediction import model_hash
    from mmf_cmsbert.utils.torch_threads import set_threads

    output = output.expanduser().absolute()
    if output.is_file():
        raise ConfigError(f"--output {output} is a file; shards need a folder")
    inputs = find_shards(words)
    folder = model_folder.find(model).absolute()
    shards = [Shard(str(each), f"{name_of(each)}.{options['format']}") for each in inputs]
    wanted = Plan(
        output,
        "predictions",
        {"model": model_hash(folder), **options},
        {
            "model": str(folder),
            "device": device,
            "user_dir": user_dir and str(user_dir.absolute()),
        },
        tuple(shards),
        jobs,
        version=mmf_cmsbert.__version__,
    )
    console = Console()
    with locked(output, shlex.join(["cmsbert", *sys.argv[1:]]), "--output FOLDER"):
        look_through(output)
        plan = launch.prepare(wanted, _NAMES, console)
        in_process = place.engine == "local" and jobs == 1
        if in_process:  # an engine gives its jobs their threads
            set_threads(torch.device(device) if device else None)
        engine = None if in_process else place.start(jobs, output / FOLDER)
        made = launch.make(plan, engine, console)
        if not launch.report(made, console):
            raise typer.Exit(1)
    bad = {s.output: s.result["bad_rows"] for s in made.plan.shards if s.result}
    if count := sum(bad.values()):
        first = next(name for name, number in bad.items() if number)
        print(
            f"cmsbert predict: error: {count} segments could not be used; each is named in "
            f"{output / FOLDER}/errors, such as {first}.txt",
            file=sys.stderr,
        )
        raise typer.Exit(WRONG_INPUT)
