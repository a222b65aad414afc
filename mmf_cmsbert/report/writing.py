"""Write reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmf_cmsbert.files import replace_text, replaced_file

if TYPE_CHECKING:
    from mmf_cmsbert.report.chart import Chart

NAME = "report.html"


def write(
    runs: str | Path | Iterable[str | Path],
    output: str | Path | None = None,
    *,
    pictures: bool = True,
) -> Path:
    """Write the report of a run, or of several side by side.

    The page is one HTML file without a server and without a network. The charts are also written
    as PNGs to ``RUN/report``, if matplotlib is installed. The scored segments are predicted once,
    and kept in ``RUN/report/segments.json`` for later reports.

    Args:
        runs: the folder of a run (``env.save_dir``), or several.
        output: the file; by default ``RUN/report.html`` for one run.
        pictures: whether the charts are also written as PNGs.

    Returns:
        The file.

    Raises:
        UserError: a folder holds no finished run, or the runs cannot be compared.
    """
    folders = [Path(runs)] if isinstance(runs, (str, Path)) else [Path(each) for each in runs]
    return _write_one(folders[0], None if output is None else Path(output), pictures)


def _write_one(folder: Path, output: Path | None, pictures: bool) -> Path:
    from mmf_cmsbert.report import run_page
    from mmf_cmsbert.report.collecting import collect

    run = collect(folder)
    drawn = run_page.charts(run)
    output = (output or run.folder / NAME).expanduser()
    replace_text(output, run_page.render(run, drawn))
    if pictures:
        _write_pictures(run.folder / "report", drawn)
    return output


def _write_pictures(folder: Path, drawn: Mapping[str, Sequence[Chart]]) -> None:
    from mmf_cmsbert.report import png

    if not png.can_draw():
        return
    folder.mkdir(exist_ok=True)
    several = sum(kind.startswith("spaces ") for kind in drawn) > 1
    for kind, charts in drawn.items():
        dataset = kind.partition(" ")[2]
        for chart in charts:
            name = f"{dataset}_{chart.name}" if several and dataset else chart.name
            with replaced_file(folder / f"{name}.png") as unfinished:
                unfinished.write_bytes(png.draw(chart))
