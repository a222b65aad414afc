"""``cmsbert features``: from clips to a folder of segments with words, voice and face."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mmf_cmsbert.commands.media_options import (
    FaceModel,
    Jobs,
    MaxMinutes,
    Recogniser,
    Transcript,
)
from mmf_cmsbert.commands.user_dir_option import UserDir


def features(
    clips: Annotated[
        Path,
        typer.Argument(
            metavar="CLIP|FOLDER|TABLE",
            help="A media file, a folder of them, or a table with a column clip and optionally "
            "text, label, split, start, end and id: a row is a segment.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option(help="The folder to write.", show_default=False)],
    recogniser: Recogniser = "faster_whisper",
    voice: Annotated[
        str,
        typer.Option(
            metavar="NAME|none",
            help="Frames of the voice: librosa (free), opensmile (eGeMAPS; audEERING's research "
            "licence excludes commercial use) or whisper_states (of the recogniser's encoder).",
        ),
    ] = "librosa",
    face: Annotated[
        str,
        typer.Option(
            metavar="NAME|none",
            help="Frames of the face: mediapipe, or dlib (its model excludes commercial use).",
        ),
    ] = "mediapipe",
    face_model: FaceModel = None,
    face_rate: Annotated[
        float, typer.Option(min=0.1, max=120, help="Pictures per second to look for faces in.")
    ] = 30.0,
    transcript: Transcript = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The segments of the clips, as a table: see CLIP|FOLDER|TABLE.",
            show_default=False,
        ),
    ] = None,
    cut: Annotated[
        Literal["sentence", "silence", "clip"],
        typer.Option(help="Where a segment ends, without a table; clip: a clip is one segment."),
    ] = "sentence",
    jobs: Jobs = 1,
    max_minutes: MaxMinutes = 30.0,
    user_dir: UserDir = None,
) -> None:
    """Extract words, voice and face from clips.

    Writes a folder that mmf_run, cmsbert data and cmsbert predict read, with a card of the
    extractors. Interrupted, the same command continues with the clips that are left. A clip that
    fails is named, and the exit status is then 2.
    """
    from mmf_cmsbert.commands.clip_extraction import extract_clips, print_next
    from mmf_cmsbert.commands.clips import find_clips
    from mmf_cmsbert.media.container import Limits
    from mmf_cmsbert.media.jobs import Settings

    found = find_clips(clips.expanduser(), table, transcript)
    settings = Settings(
        recogniser,
        voice,
        face,
        str(face_model) if face_model else None,
        face_rate,
        cut,
        Limits(minutes=max_minutes),
        str(user_dir) if user_dir else None,
    )
    failed = extract_clips(found, output.expanduser(), settings, jobs)
    if failed < len(found):
        print_next(output)
    if failed:
        raise typer.Exit(2)
