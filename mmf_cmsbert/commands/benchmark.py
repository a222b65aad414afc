"""``cmsbert benchmark``: instruments that test what the recipes can do."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mmf_cmsbert.commands.ablate import ELSEWHERE, Jobs
from mmf_cmsbert.commands.data_options import Layout
from mmf_cmsbert.commands.engine_options import Place, with_place
from mmf_cmsbert.commands.plain_errors import PlainErrors
from mmf_cmsbert.utils.folder_lock import locked
from mmf_cmsbert.utils.unfinished import look_through

app = typer.Typer(
    cls=PlainErrors,
    help="Instruments that test what the recipes can do, on corpora made for it.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    pass


@app.command()
@with_place
def cues(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SOURCE...] [KEY=VALUE...]",
            help="A corpus with transcripts and labels, such as MOSI's table; without one, "
            "generated sentences. KEY=VALUE applies to all runs.",
            show_default=False,
        ),
    ] = None,
    placement: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="own: at the frames of the cue's word. other: at those of another word. spread: a "
            "little in all frames. reference: in the voice, measured from a reference in the face. "
            "Can be repeated.",
            show_default="all four",
        ),
    ] = None,
    strength: Annotated[
        list[float] | None,
        typer.Option(
            min=0,
            help="How much the cue, of standard deviation 1, adds to the label. Can be repeated.",
            show_default="0, 0.25, 0.5, 1, 1.5",
        ),
    ] = None,
    size: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            help="Number of training segments. Can be repeated.",
            show_default="a quarter, half and all",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Draws of cues and frames, and of the training's seed.")
    ] = 5,
    permuted: Annotated[
        bool,
        typer.Option(
            "--permuted/--no-permuted",
            help="Also train with permuted labels, the strongest cue and the largest training set, "
            "as a control.",
        ),
    ] = True,
    jobs: Jobs = 1,
    base: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="The recipe that says backbone, rate and length of all runs.",
        ),
    ] = "projects/cmsbert/demo.yaml",
    layout: Layout = "auto",
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for corpora, runs and results.", show_default="save/benchmark_cues"
        ),
    ] = None,
    keep_weights: Annotated[
        bool,
        typer.Option("--keep-weights", help="Keep the checkpoints, for cmsbert benchmark places."),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace the results of another benchmark in the folder; runs that belong to both "
            "are kept.",
        ),
    ] = False,
    *,
    place: Place,
) -> None:
    """Plant cues in made frames, and measure how much of them each recipe finds.

    The label is the corpus's plus a part that text does not give and made frames do. text_only,
    mag, cms and cms_clr train on it and are scored between text alone and the Bayes bound.
    Finished runs are skipped. docs/evidence.md explains the design.
    """
    from rich.console import Console

    from mmf_cmsbert.experiments import experiment, job, recipe
    from mmf_cmsbert.experiments.cues import condition, running, texts
    from mmf_cmsbert.experiments.cues.benchmark import planned

    options = [word for word in words or [] if "=" in word]
    sources = [Path(word) for word in words or [] if "=" not in word]
    job.check_options(options)
    placements = condition.checked_placements(placement)
    strengths = condition.checked_strengths(strength)
    folder = (output or Path("save/benchmark_cues")).expanduser()
    file, console, command = recipe.find(base), Console(), ["cmsbert", *sys.argv[1:]]
    with locked(folder, shlex.join(command), ELSEWHERE):
        look_through(folder)
        given = texts.read_corpus(sources, layout, folder) if sources else None
        first = given or texts.generate(1)
        console.print("Writing corpora and checking configurations: about a second a run.")
        plan = planned(
            lambda draw: given or texts.generate(draw),
            placements,
            strengths,
            condition.sizes_of(len(first.splits["train"]), size),
            seeds,
            file,
            options,
            folder,
            job.resolve,
            permuted,
        )
        experiment.begin(folder, plan.jobs, shlex.join(command), overwrite)
        engine = place.start(jobs, folder)
        finished = running.run(
            plan, first, folder, engine, console, shlex.join(command), keep_weights
        )
    if not finished:
        raise typer.Exit(1)


@app.command()
def places(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN",
            help="A run of cmsbert benchmark cues --keep-weights, such as "
            "save/benchmark_cues/runs/cms/other_1_480_draw1/seed_1.",
            show_default=False,
        ),
    ],
    split: Annotated[
        Literal["val", "test"], typer.Option(help="Whose frames are weighed.")
    ] = "test",
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the result as JSON.")
    ] = None,
) -> None:
    """Test whether a model's attention, shift and gradients point at the planted frames.

    AUC: the chance that a planted frame weighs more than another one, 0.5 by chance. Mass: the
    share of the weight on planted frames. Means over segments with 95% intervals.
    """
    from dataclasses import asdict
    from json import dumps

    from rich.console import Console

    from mmf_cmsbert.experiments import table
    from mmf_cmsbert.experiments.cues.found_places import measure
    from mmf_cmsbert.files import replace_text
    from mmf_cmsbert.utils.torch_threads import set_threads

    set_threads()
    found = measure(run.expanduser(), split)
    rows = [["weights", "of", "AUC", "mass", "mass by chance", "segments"]]
    for each in found:
        values = (table.estimate(each.auc), table.estimate(each.mass), f"{each.chance:.3f}")
        rows.append([each.kind, each.modality, *values, str(each.segments)])
    table.show(rows, Console())
    if json is not None:
        content = {"format": 1, "run": str(run), "split": split}
        replace_text(json, dumps(content | {"found": [asdict(f) for f in found]}, indent=1) + "\n")
        print(f"Written: {json}")
