"""The option ``--user-dir``: a package of the user's, imported for what it registers."""

from pathlib import Path
from typing import Annotated

import typer

from mmf_cmsbert.user_package import import_package


def _imported(folder: Path | None) -> Path | None:
    from mmf_cmsbert.config import definitions

    if import_package(folder, "--user-dir") is not None:
        definitions.search(Path(str(folder)))
    return folder


UserDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Your Python package that registers layouts or shifts, or defines datasets in "
        "datasets/NAME.yaml, as env.user_dir in mmf_run.",
        envvar="MMF_USER_DIR",
        is_eager=True,  # the layouts that it registers are known when --layout is read
        callback=_imported,
        show_default=False,
    ),
]
