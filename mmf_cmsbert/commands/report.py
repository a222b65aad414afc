"""``cmsbert report``: runs as one HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from mmf_cmsbert.commands.user_dir_option import UserDir


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...|PREDICTIONS",
            help="The env.save_dir of finished runs; or predictions of cmsbert predict --media.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The file; by default RUN/report.html, for several runs ./report.html, for "
            "predictions beside them.",
            show_default=False,
        ),
    ] = None,
    user_dir: UserDir = None,
) -> None:
    """Write a page with scores, curves, errors and every scored segment of a run.

    One HTML file that needs no server and no network; the charts also go to RUN/report as PNGs.
    Several runs of the same test segments are shown side by side, with paired differences from the
    first one. Of predictions of clips, the page shows words, sentiment, shift, face and loudness
    over time.
    """
    if len(runs) == 1 and runs[0].is_file() and runs[0].name != "run.json":
        from mmf_cmsbert.report import clip_page

        file = clip_page.write(runs[0], output)
        print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
        return
    from mmf_cmsbert import report as reports
    from mmf_cmsbert.utils.torch_threads import set_threads

    set_threads()
    file = reports.write(runs, output)
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
    charts = runs[0] / "report" if len(runs) == 1 else file.with_name(f"{file.stem}_charts")
    if charts.is_dir():
        print(f"Charts as PNGs: {charts}")
