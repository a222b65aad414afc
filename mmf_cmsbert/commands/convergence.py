"""``cmsbert convergence``: how steadily runs converged."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer


def convergence(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN|FOLDER...",
            help="Folders of runs, or of experiments such as save/ablations.",
            show_default=False,
        ),
    ],
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET/METRIC",
            help="The curve to look at.",
            show_default="training.early_stop.criteria",
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the figures of every run as JSON."),
    ] = None,
) -> None:
    """Show how steadily runs converged, from their validation curves.

    best and last: scores. regret: how much worse the last is. spread: standard deviation around a
    line through the second half. jump: mean change between validations there. near: the first
    update within a tenth of the curve's range of the best. Mean and deviation over seeds.
    """
    from rich.console import Console

    from mmf_cmsbert.experiments import convergence as found_in
    from mmf_cmsbert.experiments import table

    curves = found_in.curves(runs, metric)
    table.show(found_in.rows(curves), Console())
    if json is not None:
        found_in.write(curves, json, shlex.join(["cmsbert", *sys.argv[1:]]))
        print(f"Written: {json}")
