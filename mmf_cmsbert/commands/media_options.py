"""Options that say how features are extracted from clips."""

from pathlib import Path
from typing import Annotated

import typer

Recogniser = Annotated[
    str,
    typer.Option(
        metavar="NAME|FOLDER|none",
        help="Words and their times: faster_whisper[:MODEL], with the folder of a model or a name "
        "on the Hugging Face hub; or the folder alone.",
    ),
]
FaceModel = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="The model of --face: face_landmarker.task of mediapipe, or the predictor of dlib.",
        show_default=False,
    ),
]
Transcript = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE|FOLDER",
        help="Given words: .txt, .srt, .vtt, or .json with the time of each word; a file for one "
        "clip, or a folder with files named as the clips. Text without times is aligned with what "
        "--recogniser hears; with --recogniser none it is spread over the sound.",
        show_default=False,
    ),
]
Jobs = Annotated[
    int, typer.Option(min=1, max=256, help="Clips or jobs of shards at once, each a process.")
]
MaxMinutes = Annotated[
    float, typer.Option(min=0.01, max=600, help="Longer clips are refused; memory grows with it.")
]
