"""Write reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mmf_cmsbert.errors import ConfigError
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

    The page is one HTML file without a server and without a network. If matplotlib is installed,
    the charts are also written as PNGs: to ``RUN/report``, and of several runs to the folder
    ``report_charts`` beside ``report.html``. The scored segments are predicted once, and kept in
    ``RUN/report/segments.json`` for later reports.

    Args:
        runs: the folder of a run (``env.save_dir``), or several.
        output: the file; by default ``RUN/report.html`` for one run, and ``report.html`` in the
            working folder for several.
        pictures: whether the charts are also written as PNGs.

    Returns:
        The file.

    Raises:
        UserError: a folder holds no finished run, or the runs cannot be compared.
    """
    folders = [Path(runs)] if isinstance(runs, (str, Path)) else [Path(each) for each in runs]
    if not folders:
        raise ConfigError("no run is named; expected the env.save_dir of at least one")
    target = None if output is None else Path(output).expanduser()
    if len(folders) == 1:
        return _write_one(folders[0], target, pictures)
    return _write_several(folders, target or Path(NAME), pictures)


def _write_one(folder: Path, output: Path | None, pictures: bool) -> Path:
    from mmf_cmsbert.report import run_page
    from mmf_cmsbert.report.collecting import collect

    run = collect(folder)
    drawn = run_page.charts(run)
    output = output or run.folder / NAME
    _replace(output, run_page.render(run, drawn))
    if pictures:
        _write_pictures(run.folder / "report", drawn)
    return output


def _write_several(folders: Sequence[Path], output: Path, pictures: bool) -> Path:
    from mmf_cmsbert.report import comparison, comparison_page
    from mmf_cmsbert.report.collecting import collect

    runs = [collect(folder) for folder in folders]
    comparison.check(runs)
    drawn = comparison_page.charts(runs)
    _replace(output, comparison_page.render(runs, drawn, output.absolute().parent))
    if pictures:
        _write_pictures(output.with_name(f"{output.stem}_charts"), drawn)
    return output


def _replace(file: Path, text: str) -> None:
    if file.is_dir():
        raise ConfigError(f"{file} is a folder; type a file, as in --output {file / NAME}")
    from mmf_cmsbert.report.collecting import make_folder

    make_folder(file.parent)
    replace_text(file, text)


def _write_pictures(folder: Path, drawn: Mapping[str, Sequence[Chart]]) -> None:
    from mmf_cmsbert.report import png
    from mmf_cmsbert.report.collecting import make_folder

    if not png.can_draw():
        return
    make_folder(folder)
    several = len({kind.partition(" ")[2] for kind in drawn} - {""}) > 1
    for kind, charts in drawn.items():
        dataset = kind.partition(" ")[2]
        for chart in charts:
            name = f"{dataset}_{chart.name}" if several and dataset else chart.name
            with replaced_file(folder / f"{name}.png") as unfinished:
                unfinished.write_bytes(png.draw(chart))
