"""The command ``cmsbert``: data, ablations and searches."""

from typing import Annotated

import typer

from mmf_cmsbert import console
from mmf_cmsbert.cli import version
from mmf_cmsbert.commands import (
    ablate,
    benchmark,
    convergence,
    data,
    doctor,
    export,
    features,
    install_mmf,
    live,
    predict,
    report,
    robustness,
    tune,
)
from mmf_cmsbert.commands.plain_errors import PlainErrors
from mmf_cmsbert.terminal import show_any_text

app = typer.Typer(
    cls=PlainErrors,
    help="Multimodal sentiment analysis: predict with a trained model, look at data, compare "
    "variants. mmf_run trains.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(benchmark.app, name="benchmark")
app.command()(features.features)
app.command()(predict.predict)
app.command()(export.export)
app.command()(live.live)
app.command()(report.report)
app.command()(robustness.robustness)
app.command()(ablate.ablate)
app.command()(tune.tune)
app.command()(convergence.convergence)
app.command()(doctor.doctor)
app.command()(install_mmf.install_mmf)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(version.line())
        raise typer.Exit


@app.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show versions and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command ``cmsbert``."""
    with console.command("cmsbert"):
        show_any_text()
        app(prog_name="cmsbert")
