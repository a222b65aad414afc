"""The convergence of several runs, run by run and summarised by recipe."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.experiments.table import spread
from mmf_cmsbert.files import replace_text
from mmf_cmsbert.records import history, record
from mmf_cmsbert.records.convergence import Convergence, convergence
from mmf_cmsbert.utils.statistics import summarise

FORMAT = 1
_FIGURES = ("best", "last", "regret", "spread", "jump", "near")


@dataclass(frozen=True)
class Curve:
    """A run and its figures; runs whose folders differ by the seed alone are a ``group``."""

    run: str
    group: str
    metric: str
    figures: Convergence


def curves(folders: Sequence[Path], metric: str | None) -> list[Curve]:
    """Return the figures of all runs in folders: of runs themselves, or of experiments.

    Args:
        folders: each a run, or a folder with runs at any depth.
        metric: as in ``training.early_stop.criteria``; None for that criterion.

    Raises:
        DataError: a folder holds no run, or a run no validation of the metric.
    """
    found = []
    for folder in (each.expanduser() for each in folders):
        runs = sorted(file.parent for file in folder.rglob(history.NAME))
        if not runs:
            raise DataError(f"{folder}: no run with a {history.NAME} is in it")
        found += [_curve(run, folder, metric) for run in runs]
    return found


def _curve(run: Path, folder: Path, metric: str | None) -> Curve:
    recorded = record.read(run)
    criterion = recorded["criterion"]
    name = metric or criterion["name"]
    entries = [each for each in history.read(run) if isinstance(each, history.Validation)]
    kept = [(e.update, v) for e in entries if (v := e.validation.get(name)) is not None]
    if not kept:
        known = dict.fromkeys(key for each in entries for key in each.validation)
        raise DataError(
            f"{run}: no validation has a value of {name}; expected one of "
            f"{', '.join(known) or 'none, as nothing was validated'}"
        )
    lower = bool(criterion["minimize"]) if name == criterion["name"] else _lower(name)
    updates, scores = zip(*kept, strict=True)
    within = run.relative_to(folder) if run != folder else Path(run.absolute().name)
    parts = within.parts[:-1] if within.name.startswith("seed_") else within.parts
    group = "/".join(part for part in parts if part != "runs") or run.absolute().parent.name
    return Curve(str(run), group, name, convergence(updates, scores, lower))


def _lower(metric: str) -> bool:
    from mmf_cmsbert.report.measures import measure

    lower = measure(metric).lower
    return "loss" in metric if lower is None else lower


def rows(found: Sequence[Curve]) -> list[list[str]]:
    """Return the header and one row per group: mean and deviation of each figure."""
    table = [["runs of", "runs", *_FIGURES]]
    for group in dict.fromkeys(each.group for each in found):
        own = [each.figures for each in found if each.group == group]
        cells = []
        for name in _FIGURES:
            values = [value for each in own if (value := getattr(each, name)) is not None]
            cells.append(spread(summarise(values) if values else None))
        table.append([group, str(len(own)), *cells])
    return table


def write(found: Sequence[Curve], file: Path, command: str) -> None:
    """Write the figures of every run as JSON."""
    content = {"format": FORMAT, "command": command, "runs": [asdict(each) for each in found]}
    replace_text(file, json.dumps(content, indent=1) + "\n")
