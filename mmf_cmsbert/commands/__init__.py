"""The command ``cmsbert``."""

import typer

from mmf_cmsbert.commands import data
from mmf_cmsbert.commands.plain_errors import PlainErrors

app = typer.Typer(
    cls=PlainErrors,
    help="Data of multimodal sentiment analysis. Training and prediction "
    "are mmf_run's and mmf_predict's.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")


def main() -> None:
    """The console command ``cmsbert``."""
    app(prog_name="cmsbert")
