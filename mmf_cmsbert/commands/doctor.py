"""``cmsbert doctor``: what is installed and what is found, to paste into a bug report."""

from typing import Annotated

import typer


def doctor(
    options: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[config=FILE] [KEY=VALUE...]",
            help="Search for the data and the backbone of this run, as mmf_run would.",
            show_default="config=projects/cmsbert/mosi.yaml",
        ),
    ] = None,
) -> None:
    """Show versions, optional libraries, data, backbone, and the patches that are active.

    The output is Markdown: paste it into a bug report. Exit status 1: mmf_run cannot start.
    """
    from rich.box import MARKDOWN
    from rich.console import Console
    from rich.table import Table

    from mmf_cmsbert.installation import report

    # In a file each row is one line, as Markdown requires.
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 10_000
    ready = True
    for section in report.sections(options or ["config=projects/cmsbert/mosi.yaml"]):
        console.print(f"\n[bold]{section.title}[/bold]\n")
        table = Table(*section.columns, box=MARKDOWN)
        for row in section.rows:
            table.add_row(*row)
        console.print(table)
        for problem in section.problems:
            console.print(f"\n{problem}", markup=False)
        ready = ready and not section.fatal
    if not ready:
        raise typer.Exit(1)
