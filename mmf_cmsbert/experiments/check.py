"""Repeat a run from its record, and compare its scores with the recorded ones."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.experiments import scheduler, table
from mmf_cmsbert.experiments.display import Display
from mmf_cmsbert.experiments.engines.engine import Process, Task
from mmf_cmsbert.experiments.engines.local import LocalEngine
from mmf_cmsbert.experiments.job import Job, check_options, resolve
from mmf_cmsbert.experiments.process import JobProcess
from mmf_cmsbert.files import replace_text
from mmf_cmsbert.records import earlier_run, provenance, record

# The sections of a recipe; the others depend on the machine.
_SECTIONS = (
    "model",
    "dataset_config",
    "model_config",
    "optimizer",
    "scheduler",
    "training",
    "evaluation",
    "checkpoint",
)


def check(
    file: Path,
    options: Sequence[str],
    tolerance: float,
    folder: Path,
    console: Console,
    run: Callable[..., Process] = JobProcess,
    overwrite: bool = False,
) -> bool:
    """Repeat a recorded run; print what has changed since, and which scores differ.

    Args:
        file: a ``run.json``, or its folder.
        options: ``KEY=VALUE`` words, for example if the data has moved.
        tolerance: largest accepted difference of a score.
        folder: the folder for the new run.
        console: receives the output.
        run: starts ``mmf_run``.
        overwrite: whether the run may replace an earlier one in ``folder``.

    Returns:
        Whether every score equals the recorded one.

    Raises:
        ConfigError: ``folder`` holds an earlier run.
        DataError: the file is not a record, the recorded run has no scores, or the new run fails.
    """
    recorded = record.read(file)
    check_options(options)
    earlier = earlier_run.find(folder / "run")
    if earlier and not overwrite:
        raise ConfigError(
            f"{folder / 'run'} holds {earlier}; type --output FOLDER for another folder, or "
            "--overwrite to replace it"
        )
    write_config(recorded, folder / "config.yaml")
    words = (
        f"config={folder.resolve() / 'config.yaml'}",
        *options,
        f"run_type={recorded['config']['run_type']}",
        f"env.save_dir={folder.resolve() / 'run'}",
        f"env.overwrite={str(overwrite).lower()}",
    )
    config = resolve(words)
    job = Job("the recorded run", "", recorded["seed"], folder / "run", words, config)
    _tell_differences(recorded, config, console)

    # The number of threads changes the order of sums.
    engine = _AsRecorded(run, recorded["machine"]["threads"])
    with Display(console, done=0, total=1) as display:
        (outcome,) = scheduler.run_all([job], engine, display)
    if outcome.error:
        raise DataError(f"the run failed: {outcome.error} ({job.log})")
    again = record.read(job.folder)
    differing = compare(recorded, again, tolerance)
    if not differing:
        console.print(f"Reproduced: every score equals the recorded one (to {tolerance:g}).")
        return True
    rows = [["score", "recorded", "now"], *([n, str(was), str(now)] for n, was, now in differing)]
    table.show(rows, console)
    console.print(f"NOT reproduced: {len(differing)} values differ by more than {tolerance:g}.")
    console.print(f"The run is in {job.folder}.", soft_wrap=True, highlight=False)
    return False


class _AsRecorded(LocalEngine):
    """Makes one run, with the number of threads of the recorded one."""

    def __init__(self, run: Callable[..., Process], threads: int):
        super().__init__(slots=1)
        self._run, self._threads = run, threads

    def start(self, job: Task, slot: int) -> Process:
        return self._run(job.words, job.log, self._threads)


def _tell_differences(
    recorded: Mapping[str, Any], config: Mapping[str, Any], console: Console
) -> None:
    found = record.differences(recorded, config)
    old, new = recorded["commit"], provenance.commit()
    if old != new and recorded["code_sha256"] == provenance.code_sha256():
        found.append(
            f"commit was {record.commit_name(old)} and is {record.commit_name(new)}, with the same "
            "code for runs"
        )
    old, new = recorded["machine"], provenance.machine()
    found += [
        f"{name} was {was} and is {now}"
        for name, (was, now) in record.changes(old, new).items()
        if name not in ("threads", "host", "job")
    ]
    text = "".join(f"\n  {line}" for line in found) or " none; code, data and libraries are equal."
    console.print(f"Changed since:{text}", markup=False, highlight=False, soft_wrap=True)


def write_config(recorded: Mapping[str, Any], file: Path) -> None:
    """Write the recorded configuration as one file for ``mmf_run``.

    Raises:
        DataError: the recorded run has no scores to compare with.
    """
    if recorded["status"] != "finished":
        raise DataError(
            f"the recorded run is {recorded['status']}, and has no scores to compare with; expected"
            " the record of a finished run"
        )
    config = recorded["config"]
    content = {key: config[key] for key in _SECTIONS if key in config}
    content["dataset"] = config.get("datasets") or config.get("dataset")
    content["training"] = config["training"] | {"seed": recorded["seed"]}
    content["checkpoint"] = config["checkpoint"] | {"resume": False}
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_text(file, yaml.safe_dump(content, sort_keys=False))


def compare(
    recorded: Mapping[str, Any], again: Mapping[str, Any], tolerance: float
) -> list[tuple[str, Any, Any]]:
    """Return the scores that differ by more than ``tolerance``: name, recorded value, value now."""
    found = []
    for part in ("best", "validation", "test"):
        old, new = dict(record.flat(recorded[part], part)), dict(record.flat(again[part], part))
        if part == "validation" and not recorded[part]:
            continue  # a resumed run has none
        for name, (was, now) in record.changes(old, new).items():
            if not _equal(was, now, tolerance):
                found.append((name, was, now))
    return found


def _equal(was: Any, now: Any, tolerance: float) -> bool:
    numbers = all(isinstance(value, (int, float)) for value in (was, now))
    return numbers and (
        math.isclose(was, now, rel_tol=0, abs_tol=tolerance)
        or (math.isnan(was) and math.isnan(now))
    )
