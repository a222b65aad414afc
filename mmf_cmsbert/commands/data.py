"""``cmsbert data``: the commands' arguments, and the calls that do the work.

Implementations are imported when they are needed, so that help is shown at once.
"""

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mmf_cmsbert.commands.column_options import label_values, named_columns
from mmf_cmsbert.commands.data_options import (
    VOCABULARY,
    Alignment,
    Corpus,
    Face,
    HowAligned,
    LabelValues,
    Layout,
    NamedColumns,
    OneSplit,
    Sources,
    Streaming,
    Voice,
)
from mmf_cmsbert.commands.engine_options import Place, with_place
from mmf_cmsbert.commands.plain_errors import PlainErrors
from mmf_cmsbert.commands.user_dir_option import UserDir
from mmf_cmsbert.errors import ConfigError, DataError

if TYPE_CHECKING:
    from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
    from mmf_cmsbert.datasets.conversion import ConversionSettings
    from mmf_cmsbert.datasets.readers.source import Source
    from mmf_cmsbert.datasets.stores.store import StoredSegments

# What is not typed is as the dataset's definition says.
_AS_DEFINED = "as dataset_config.DATASET.{}"
_DefinedAlignment = Annotated[
    Alignment | None,
    typer.Option(
        help="For .csd files. word: one frame per word, the mean of those that overlap it. none: "
        "all frames.",
        show_default=_AS_DEFINED.format("alignment"),
    ),
]

app = typer.Typer(
    cls=PlainErrors,
    help="Define a dataset, inspect it, convert it, split it into folds, download a corpus.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
def inspect(
    sources: Sources,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Read columns and labels as this dataset's definition says, and compare the "
            "videos with its canonical split.",
        ),
    ] = None,
    layout: Layout = "auto",
    user_dir: UserDir = None,
    split: OneSplit = None,
    alignment: HowAligned = "word",
    vocabulary: Annotated[
        typer.FileText | None,
        typer.Option(metavar=VOCABULARY[0], help=VOCABULARY[1], encoding="utf-8", errors="replace"),
    ] = None,
    column: NamedColumns = None,
    label_value: LabelValues = None,
    streaming: Streaming = False,
    json: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Write the report as JSON; - prints it instead of tables."
        ),
    ] = None,
) -> None:
    """Show what a corpus contains, and what to check before training on it."""
    from mmf_cmsbert.commands.inspection_report import show, write_json
    from mmf_cmsbert.datasets.inspection.inspection import inspect_source

    pieces = None if vocabulary is None else vocabulary.read().splitlines()
    columns, values = named_columns(column), label_values(label_value)
    targets, divides = None, False
    if dataset is not None:
        defined = _defined(dataset)
        layout = defined.layout if layout == "auto" else layout
        columns, values = defined.named_columns | columns, (defined.label_values or {}) | values
        targets = defined.predicted if defined.targets else None
        divides = defined.split is not None
    source = _found(sources, split, layout, streaming, name_media=False, name_split=not divides)
    if divides and source.unnamed and split is None:
        print(
            f"{', '.join(map(str, source.unnamed))}: no split is named; a run divides the segments "
            f"by dataset_config.{dataset}.split, and this report shows them together, as test",
            file=sys.stderr,
        )
    report = inspect_source(source, dataset, layout, alignment, pieces, columns, values, targets)
    if json is not None:
        write_json(report, json)
    if json != "-":
        show(report)
    if unreadable := report["unreadable"]:
        splits = "; ".join(f"{split}: {why}" for split, why in unreadable.items())
        raise DataError(f"a split cannot be read: {splits}")


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Its name in dataset=NAME.", show_default=False)],
    source: Annotated[
        list[Path],
        typer.Option(
            help="Its file or folder, in any of the layouts; can be repeated.", show_default=False
        ),
    ],
    layout: Layout = "auto",
    user_dir: UserDir = None,
    column: NamedColumns = None,
    streaming: Streaming = False,
) -> None:
    """Write datasets/NAME.yaml, which defines a dataset of your own; nothing is overwritten."""
    from mmf_cmsbert.commands import new_dataset
    from mmf_cmsbert.datasets.inspection.proposal import propose
    from mmf_cmsbert.datasets.readers import hub_reference

    file = new_dataset.check_name(name)
    found = propose(
        _found(source, None, layout, streaming, name_split=False), layout, named_columns(column)
    )
    shown = [str(p if hub_reference.is_address(p) else p.expanduser().absolute()) for p in source]
    new_dataset.write(name, file, shown, layout, found)


@app.command()
@with_place
def convert(
    sources: Sources,
    dataset: Annotated[
        str,
        typer.Option(metavar="NAME", help="The dataset: mosi, or your own.", show_default=False),
    ],
    to: Annotated[
        Literal["store", "datasets", "misa", "mag"],
        typer.Option(
            help="store: mmf_run reads it directly. datasets: Parquet files and a card, which "
            "datasets.load_dataset reads anywhere. misa, mag: the files that MISA's or "
            "MAG-BERT's code reads."
        ),
    ] = "store",
    output: Annotated[
        Path | None,
        typer.Option(help="The folder to write.", show_default="./DATASET-TO"),
    ] = None,
    layout: Layout = "auto",
    user_dir: UserDir = None,
    split: OneSplit = None,
    alignment: _DefinedAlignment = None,
    max_frames: Annotated[
        str | None,
        typer.Option(
            metavar="N|none",
            help="Average more frames of a segment over this many windows.",
            show_default=_AS_DEFINED.format("max_frames"),
        ),
    ] = None,
    normalise: Annotated[
        Literal["none", "segment"] | None,
        typer.Option(
            help="segment: normalise each column over the frames of its segment. Training "
            "normalises over a corpus itself.",
            show_default=_AS_DEFINED.format("normalise"),
        ),
    ] = None,
    non_finite: Annotated[
        Literal["error", "zero"] | None,
        typer.Option(
            help="NaN and infinite values: refuse them, or read them as 0.",
            show_default=_AS_DEFINED.format("non_finite"),
        ),
    ] = None,
    vocabulary: Annotated[
        Path | None,
        typer.Option(
            metavar=VOCABULARY[0],
            help=VOCABULARY[1],
            show_default=_AS_DEFINED.format("vocabulary"),
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    single_frame: Annotated[
        Literal["keep", "every_word"] | None,
        typer.Option(
            help="every_word: repeat a segment's only frame of a modality for each word.",
            show_default=_AS_DEFINED.format("single_frame"),
        ),
    ] = None,
    word_vectors: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Word vectors for --to misa, such as glove.840B.300d.txt.",
            show_default="random vectors",
            exists=True,
            dir_okay=False,
            readable=True,
        ),
    ] = None,
    skip_invalid: Annotated[
        bool | None,
        typer.Option(
            "--skip-invalid/--no-skip-invalid",
            help="Skip segments that cannot be used, with a message.",
            show_default=_AS_DEFINED.format("on_invalid"),
        ),
    ] = None,
    column: NamedColumns = None,
    label_value: LabelValues = None,
    voice: Voice = None,
    face: Face = None,
    context: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=100,
            help="For layouts of conversations: previous utterances before each segment.",
            show_default=_AS_DEFINED.format("context"),
        ),
    ] = None,
    fold: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="For MUStARD: a published fold.",
            show_default=_AS_DEFINED.format("fold"),
        ),
    ] = None,
    streaming: Streaming = False,
    by_file: Annotated[
        bool,
        typer.Option(
            "--by-file",
            help="Convert each file by itself, to a shard of the store: interrupted, the same "
            "command continues; files that have changed are converted again. Implied by --jobs and "
            "--engine. SOURCE may then be folders and patterns of many files.",
        ),
    ] = False,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Jobs at once, each of which converts files.")
    ] = 1,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="With --to datasets: upload the folder to the Hugging Face hub, as a private "
            "dataset if it is new. Needs hf auth login or HF_TOKEN.",
            show_default=False,
        ),
    ] = None,
    *,
    place: Place,
) -> None:
    """Write a corpus of any layout as a store, as a dataset, or for MISA's or MAG-BERT's code.

    A corpus of many files: cmsbert data convert parts/train --dataset mosi --split train --jobs 4
    """
    from mmf_cmsbert.commands.convert import convert_source
    from mmf_cmsbert.datasets.segment import SPLITS

    if word_vectors and to != "misa":
        raise ConfigError(f"--word-vectors needs --to misa; --to {to} writes no word vectors")
    if push and (to != "datasets" or not re.fullmatch(r"[\w.-]+/[\w.-]+", push)):
        raise ConfigError(f"--push {push}: expected OWNER/NAME, and --to datasets")
    defined = _defined(dataset)
    settings = _settings(
        dataset,
        defined,
        column,
        label_value,
        layout=None if layout == "auto" else layout,
        alignment=alignment,
        by_segment=None if normalise is None else normalise == "segment",
        on_invalid=None if skip_invalid is None else "skip" if skip_invalid else "error",
        non_finite=non_finite,
        vocabulary=vocabulary,
        single_frame=single_frame,
        voice=voice,
        face=face,
        context=context,
        fold=fold,
    )
    settings = replace(settings, max_frames=_frames(max_frames, defined))  # None is typed as none
    by_file = by_file or jobs > 1 or place.engine != "local"
    source = _found(
        sources, split, settings.layout, streaming, name_split=not defined.split, by_file=by_file
    )
    if defined.split and source.unnamed:
        source = replace(source, files=dict.fromkeys(SPLITS, list(source.unnamed)))
        settings = replace(settings, split_rule=defined.split.plain())
    folder = output or Path(f"{dataset}-{to}")
    folder = folder.expanduser().absolute()
    make = None
    if by_file:
        from mmf_cmsbert.commands.convert_shards import convert_files

        def make(stores: Path) -> "dict[str, StoredSegments]":
            return convert_files(source, settings, stores, jobs, place, user_dir)

    convert_source(source, settings, to, folder, word_vectors, make)
    if push:
        from mmf_cmsbert.datasets.writers.hub_upload import push as upload

        print(f"Uploaded to {upload(folder, push)}")


@app.command()
def folds(
    sources: Sources,
    dataset: Annotated[
        str,
        typer.Option(metavar="NAME", help="The dataset: mosi, or your own.", show_default=False),
    ],
    folds: Annotated[int, typer.Option(min=3, help="Number of folds.")] = 5,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The recipe that each fold's recipe includes.",
            show_default="projects/cmsbert/DATASET.yaml",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="The folder to write.", show_default="./DATASET-folds"),
    ] = None,
    layout: Layout = "auto",
    user_dir: UserDir = None,
    split: OneSplit = None,
    alignment: _DefinedAlignment = None,
    column: NamedColumns = None,
    label_value: LabelValues = None,
) -> None:
    """Split a small corpus into folds by its videos, each a recipe for cmsbert ablate."""
    from mmf_cmsbert.commands.fold_stores import write_folds
    from mmf_cmsbert.experiments import recipe

    settings = _settings(
        dataset,
        _defined(dataset),
        column,
        label_value,
        layout=None if layout == "auto" else layout,
        alignment=alignment,
    )
    file = recipe.find(base or recipe.of_dataset(dataset))
    folder = (output or Path(f"{dataset}-folds")).expanduser().absolute()
    write_folds(_found(sources, split, settings.layout), settings, folds, file, folder)


@app.command()
def download(
    dataset: Annotated[Corpus, typer.Argument(show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(help="The folder to write.", show_default="./DATASET-csd"),
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            help="A feature to download; can be repeated.",
            show_default="words, labels, facet, covarep",
        ),
    ] = None,
    mirror: Annotated[
        str | None, typer.Option(metavar="URL", help="A copy of the published server.")
    ] = None,
    max_hours: Annotated[
        float, typer.Option(metavar="HOURS", help="Time limit for all files together.")
    ] = 24.0,
    max_gigabytes: Annotated[
        float, typer.Option(metavar="GB", help="Size limit for all files together.")
    ] = 100.0,
) -> None:
    """Download the .csd files that CMU-MultimodalSDK publishes; resume an interrupted download."""
    from mmf_cmsbert.datasets.download.download import FEATURES
    from mmf_cmsbert.datasets.download.download import download as fetch
    from mmf_cmsbert.datasets.download.limits import Limits

    folder = (output or Path(f"{dataset}-csd")).expanduser().absolute()
    limits = Limits(max_hours, max_gigabytes)
    fetch(dataset, folder, features=feature or FEATURES, mirror=mirror, limits=limits)
    print(
        f"{folder} holds {dataset} as .csd files. Inspect or convert it:\n"
        f"  cmsbert data inspect {folder} --dataset {dataset}\n"
        f"  cmsbert data convert {folder} --dataset {dataset}"
    )


def _found(
    paths: list[Path],
    split: str | None,
    layout: str,
    streaming: bool = False,
    name_media: bool = True,
    name_split: bool = True,
    by_file: bool = False,
) -> "Source":
    """Find the corpus in the paths.

    Prints a line if no split is named, and one on media files, unless a report lists those.
    """
    from mmf_cmsbert.datasets.readers import hub_reference
    from mmf_cmsbert.datasets.readers.media_files import media_in, media_message
    from mmf_cmsbert.datasets.readers.source import find_source

    if by_file:
        from mmf_cmsbert.commands.convert_shards import find_files

        source = find_files(paths, split, layout)
    else:
        located = [hub_reference.located(path, streaming) for path in paths]
        source = find_source(located, split, layout)
    if name_media and (media := media_in(chain(*source.files.values()))):
        print(media_message(media), file=sys.stderr)
    if name_split and source.unnamed and split is None:
        print(
            f"{_few(source.unnamed)}: no split is named, so all segments count as "
            "test; type --split train or --split val for another one",
            file=sys.stderr,
        )
    return source


def _few(files: Sequence[Path]) -> str:
    shown = ", ".join(map(str, files[:4]))
    return f"{shown} and {len(files) - 4} more" if len(files) > 4 else shown


def _defined(dataset: str) -> "SentimentDatasetConfig":
    """Return the defaults of a dataset."""
    from mmf_cmsbert.config import definitions

    return definitions.schema_of(dataset)()


def _settings(
    dataset: str,
    defined: "SentimentDatasetConfig",
    column: list[str] | None,
    label_value: list[str] | None,
    **typed: Any,
) -> "ConversionSettings":
    """Return how to convert a dataset: as it is defined, except for what is typed.

    Args:
        dataset: its name.
        defined: its definition.
        column: as typed, or None; added to the columns of the definition.
        label_value: as typed, or None; added to those of the definition.
        **typed: fields of the settings, None if they are not typed.

    Raises:
        ConfigError: a column or a value of a label is typed wrongly.
    """
    from mmf_cmsbert.datasets.conversion import defined_settings

    settings = defined_settings(dataset, defined)
    return replace(
        settings,
        columns=settings.columns | named_columns(column),
        label_values=settings.label_values | label_values(label_value),
        **{name: value for name, value in typed.items() if value is not None},
    )


def _frames(typed: str | None, defined: "SentimentDatasetConfig") -> int | None:
    if typed is None:
        return defined.max_frames
    if typed == "none":
        return None
    if not typed.isdecimal() or int(typed) < 1:
        raise ConfigError(f"--max-frames {typed}: expected a whole number from 1, or none")
    return int(typed)
