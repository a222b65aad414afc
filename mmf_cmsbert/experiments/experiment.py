"""The runs of an ablation, written beside its tables, so that another ablation is not replaced.

``experiment.json`` holds each run's folder and a hash of its configuration. In folders of earlier
versions, which have no such file, the records of the runs are used instead.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.files import read_json, replaced_file
from mmf_cmsbert.records import record

NAME, FORMAT = "experiment.json", 1
TABLES = ("results.csv", "results.md", "results.json", "results.png", "results.svg")
_SHOWN, _LARGEST = 3, 1 << 26


@dataclass(frozen=True)
class Experiment:
    """The runs of an ablation.

    Attributes:
        runs: each run's folder, relative to the output, and a hash of its configuration.
        command: the command line; None if unknown.
        begun: time of the start; None if unknown.
    """

    runs: Mapping[str, str]
    command: str | None = None
    begun: str | None = None

    @classmethod
    def planned(cls, jobs: Sequence[Job], output: Path, command: str) -> "Experiment":
        """Return the experiment of these jobs."""
        runs = {str(job.folder.relative_to(output)): _hash(job.config) for job in jobs}
        return cls(runs, command, datetime.now(timezone.utc).isoformat(timespec="seconds"))

    @classmethod
    def find(cls, output: Path) -> "Experiment | None":
        """Find the experiment in a folder; None if it has neither tables nor runs.

        Raises:
            ConfigError: experiment.json is damaged, or of a later version.
        """
        file = output / NAME
        records = sorted((output / "runs").rglob(record.NAME))
        if not records and not any((output / name).exists() for name in TABLES):
            return None
        if not file.is_file():
            found = {each.parent: record.find(each.parent) for each in records}
            return cls(
                {
                    str(folder.relative_to(output)): _hash(each["config"]) if each else ""
                    for folder, each in found.items()
                }
            )
        try:
            content = read_json(file, _LARGEST)
            if content["format"] != FORMAT:
                raise ValueError(f"format {content['format']}, expected {FORMAT}")
            return cls(dict(content["runs"]), content["command"], content["begun"])
        except (DataError, OSError, ValueError, LookupError, TypeError) as error:
            raise ConfigError(
                f"{file}: cannot be read ({error}); type --output FOLDER for another folder, or "
                "--overwrite to replace the experiment there"
            ) from error

    def write(self, output: Path) -> None:
        """Write ``experiment.json``."""
        content = {"format": FORMAT, "command": self.command, "begun": self.begun}
        with replaced_file(output / NAME) as unfinished:
            text = json.dumps(content | {"runs": self.runs}, indent=1)
            unfinished.write_text(text + "\n", encoding="utf-8")

    def differences(self, planned: "Experiment", complete: bool) -> list[str]:
        """Describe how a planned experiment differs from this one; empty if it does not.

        Args:
            planned: the new experiment.
            complete: whether all runs of this experiment are known; otherwise more may be planned.
        """
        gone = [name for name in self.runs if name not in planned.runs]
        more = [name for name in planned.runs if name not in self.runs] if complete else []
        both = [name for name in planned.runs if name in self.runs]
        other = [name for name in both if self.runs[name] != planned.runs[name]]
        texts = {"without": gone, "with": more, "with another configuration of": other}
        return [f"{text} {_list(names)}" for text, names in texts.items() if names]


def begin(output: Path, jobs: Sequence[Job], command: str, overwrite: bool) -> None:
    """Record that an experiment begins or continues in ``output``.

    With ``overwrite`` the tables of another experiment there are removed. Its runs stay, and those
    that belong to this experiment too are not repeated.

    Args:
        output: the folder; its lock must be held.
        jobs: all jobs of the experiment.
        command: the command line.
        overwrite: whether to replace another experiment.

    Raises:
        ConfigError: the folder holds another experiment, and ``overwrite`` is false.
    """
    planned = Experiment.planned(jobs, output, command)
    if overwrite:
        for name in (*TABLES, NAME):
            (output / name).unlink(missing_ok=True)
    elif found := Experiment.find(output):
        # Without experiment.json an interrupted experiment looks like one with fewer runs.
        complete = found.command is not None or (output / TABLES[0]).exists()
        if differences := found.differences(planned, complete):
            raise ConfigError(_refusal(output, found, differences))
        if found.command is not None:
            return
    planned.write(output)


def _refusal(output: Path, found: Experiment, differences: Sequence[str]) -> str:
    done = sum(1 for name in found.runs if _finished(output / name))
    begun = f", begun {found.begun}" if found.begun else ""
    again = f"; to continue that one: {found.command}" if found.command else ""
    return (
        f"{output} holds another experiment ({done} of {len(found.runs)} runs finished{begun}); "
        f"this one is {', '.join(differences)}. Type --output FOLDER for another folder, or "
        f"--overwrite to replace the tables (runs that belong to both are kept){again}"
    )


def _finished(folder: Path) -> bool:
    found = record.find(folder)
    return found is not None and found["status"] == "finished"


def _hash(config: Mapping[str, Any]) -> str:
    """Hash everything that a run's numbers depend on, and the splits that it scores."""
    content = {**dict(record.flat(config)), "run_type": config.get("run_type")}
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _list(names: Sequence[str]) -> str:
    shown = [name.removeprefix("runs/") for name in names[:_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + f" and {more} more" * bool(more)
