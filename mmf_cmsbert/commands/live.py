"""``cmsbert live``: a page to record or upload a clip and see its score."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mmf_cmsbert.commands.media_options import FaceModel, Recogniser
from mmf_cmsbert.commands.user_dir_option import UserDir
from mmf_cmsbert.errors import ConfigError


def live(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A model that was trained on features of cmsbert features.",
            show_default=False,
        ),
    ],
    recogniser: Recogniser = "faster_whisper",
    face_model: FaceModel = None,
    address: Annotated[
        str, typer.Option(help="0.0.0.0 serves other machines too, to whoever can reach it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
    max_seconds: Annotated[
        float, typer.Option(min=1, max=1800, help="Longer clips are refused.")
    ] = 60.0,
    max_megabytes: Annotated[
        int, typer.Option(min=1, max=2000, help="Larger clips are refused.")
    ] = 50,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Keep each clip and its features there.",
            show_default="nothing is kept",
        ),
    ] = None,
    user_dir: UserDir = None,
) -> None:
    """Serve a page that scores a recorded or uploaded clip, with and without voice and face.

    Only this machine can reach the page, unless --address says otherwise. Ctrl-C ends it.
    """
    from mmf_cmsbert.commands.predict_media import features_for
    from mmf_cmsbert.live import page, scoring
    from mmf_cmsbert.predictor import SentimentPredictor
    from mmf_cmsbert.utils.torch_threads import set_threads

    if keep is not None and not keep.is_dir():
        raise ConfigError(f"--keep {keep}: expected an existing folder")
    predictor = SentimentPredictor(model)
    set_threads(predictor.device)
    settings = features_for(predictor, recogniser, face_model, max_seconds / 60, user_dir)
    extractors = settings.extractors()
    scored = partial(scoring.score, predictor, settings, extractors, model=model, keep=keep)
    print(f"http://{address}:{port}  (Ctrl-C ends it)", flush=True)
    kept = str(keep) if keep else ""
    page.serve(scored, Path(model).name, address, port, max_megabytes, max_seconds, kept)
