"""``cmsbert robustness``: a run's scores on damaged face and voice."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mmf_cmsbert.commands.user_dir_option import UserDir
from mmf_cmsbert.errors import ConfigError


def robustness(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="The env.save_dir of finished runs; several need the same segments.",
            show_default=False,
        ),
    ],
    split: Annotated[
        Literal["val", "test"], typer.Option(help="The split that is damaged and scored.")
    ] = "val",
    damage: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help="frames: each is lost with a probability. segments: the modality is missing from "
            "a share. noise: in standard deviations of the columns. shift: a delay in shares of "
            "the utterance. Can be repeated.",
            show_default="all four",
        ),
    ] = None,
    level: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            help="A level of damage besides 0. Can be repeated.",
            show_default="0.25, 0.5, 0.75, 1",
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=1, help="Draws of the damage, with seeds 1 to this.")
    ] = 3,
    output: Annotated[
        Path | None,
        typer.Option(help="The folder to write.", show_default="RUN/robustness"),
    ] = None,
    user_dir: UserDir = None,
) -> None:
    """Score runs on segments whose face and voice are missing, noisy or late.

    Writes the curves of the error against the level of damage as robustness.json, .png and .svg.
    """
    from rich.console import Console

    from mmf_cmsbert.experiments import plot, table
    from mmf_cmsbert.robustness import curves, writing
    from mmf_cmsbert.robustness.damage import DAMAGES
    from mmf_cmsbert.utils.torch_threads import set_threads

    levels = sorted({0.0, *(level or curves.LEVELS)})
    if len(levels) < 2:
        raise ConfigError("--level 0 alone damages nothing; add one above 0")
    kinds = list(dict.fromkeys(damage or DAMAGES))
    if unknown := [kind for kind in kinds if kind not in DAMAGES]:
        raise ConfigError(f"--damage {unknown[0]}: expected one of {', '.join(DAMAGES)}")
    if any(each > 1 for each in levels) and kinds != ["noise"]:
        raise ConfigError(
            f"--level {max(levels):g}: a share is at most 1; higher levels are for --damage noise"
        )
    console, found, first = Console(), [], None
    for run in (each.expanduser() for each in runs):
        predictor, part = curves.opened(run, split)
        set_threads(predictor.device)
        first = first or part
        if part.content != first.content:
            raise ConfigError(
                f"{run} has other segments than {runs[0]} in the split {split}, so their errors "
                "cannot be compared; type a command for each"
            )
        found += curves.measure(run, predictor, part, kinds, levels, draws)
    assert first is not None
    folder = (output or runs[0].expanduser() / "robustness").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"robustness.{kind}" for kind in ("json", "png", "svg")]
    command = shlex.join(["cmsbert", *sys.argv[1:]])
    writing.write(found, first, command, draws, files[0])
    if plot.can_plot():
        writing.plot(found, first, files[1:])
    if first.synthetic:
        console.print(table.SYNTHETIC)
    table.show(writing.rows(found), console)
    console.print(
        f"\nMean error of {len(first.segments)} {split} segments of {first.dataset}; mean added: "
        "the mean over the levels less the error without damage.",
        soft_wrap=True,
        highlight=False,
    )
    written = ", ".join(str(file) for file in files if file.exists())
    console.print(f"Written: {written}", soft_wrap=True, markup=False, highlight=False)
