"""The options that the commands of ``cmsbert data`` share."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mmf_cmsbert.commands.layout_option import OWN_LAYOUTS, layout_name

Corpus = Literal["mosi", "mosei"]
Split = Literal["train", "val", "test"]
Alignment = Literal["word", "none"]

Sources = Annotated[
    list[Path],
    typer.Argument(
        metavar="SOURCE...",
        help="Files and folders of a corpus: files in any of the layouts of --layout, a folder of "
        "such files, or a folder with one of these in it; or hf://OWNER/NAME[@REVISION][:CONFIG] "
        "of the Hugging Face hub. docs/data.md describes the layouts. "
        "dataset_config.DATASET.source accepts the same paths.",
        show_default=False,
    ),
]
Layout = Annotated[
    str,
    typer.Option(
        parser=layout_name,
        metavar=OWN_LAYOUTS,
        help="The layout of all files; auto recognises each file's. Layouts of --user-dir have "
        "their own names.",
    ),
]
OneSplit = Annotated[
    Split | None,
    typer.Option(
        help="Read only this split; also the split of files whose names give none.",
        show_default="all splits",
    ),
]
NamedColumns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="FIELD=NAME",
        help="For lists of segments and Hugging Face datasets: the column of a field (id, video, "
        "text, words, label, start, end; of Hugging Face datasets also visual, acoustic) whose "
        "name is not a usual one. Can be repeated.",
        show_default="found by name and type",
    ),
]
LabelValues = Annotated[
    list[str] | None,
    typer.Option(
        "--label-value",
        metavar="CLASS=NUMBER",
        help="For Hugging Face datasets with classes as labels: the sentiment of a class. Can be "
        "repeated.",
        show_default="the names are numbers",
    ),
]
Voice = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="For Hugging Face datasets with a column of sound or clips: the extractor of acoustic "
        "frames, as for cmsbert features.",
        show_default="sound is not read",
    ),
]
Face = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="For Hugging Face datasets with a column of clips: the extractor of visual frames, as "
        "for cmsbert features.",
        show_default="pictures are not read",
    ),
]
Streaming = Annotated[
    bool,
    typer.Option(
        "--streaming", help="Read datasets of the Hugging Face hub without downloading them."
    ),
]
HowAligned = Annotated[
    Alignment,
    typer.Option(
        help="For .csd files. word: one frame per word, the mean of those that overlap it. none: "
        "all frames."
    ),
]

VOCABULARY = (
    "FILE",
    "The vocab.txt of the tokenizer whose ids are in text_bert: for MMSA files with ids only, "
    "and to align files with a row for each word piece.",
)
