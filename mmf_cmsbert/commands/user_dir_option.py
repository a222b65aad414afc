"""The option ``--user-dir``: a package of the user's, imported for what it registers."""

from pathlib import Path
from typing import Annotated

import typer

from mmf_cmsbert.user_package import import_package

UserDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Your Python package that registers layouts or shifts, as env.user_dir in mmf_run.",
        envvar="MMF_USER_DIR",
        is_eager=True,  # the layouts that it registers are known when --layout is read
        callback=lambda folder: import_package(folder, "--user-dir"),
        show_default=False,
    ),
]
