"""The manifest of a folder of results: its shards in order, and what proves that each is done.

It is ``_shards/shards.json``. Jobs on other machines add the result of a shard as a file of its
own, ``_shards/results/NAME.json``; the command that started them moves it into the manifest.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_json, replace_text

FOLDER, NAME, FORMAT = "_shards", "shards.json", 1
_RESULTS = "results"
_LARGEST = 1 << 28
# What manifests of earlier versions do not name, by kind, and what their results were made with.
_ADDED: Mapping[str, Mapping[str, Any]] = {"predictions": {"precision": "fp32", "columns": {}}}
# Bytes for each job below which there are as few jobs as run at once.
_SMALL = 1 << 26
# Jobs for each of those that run at once, so that they end together.
_ROUNDS = 4


@dataclass(frozen=True)
class Shard:
    """One input and its output.

    Attributes:
        input: the path of the input.
        output: the name of the output in the folder of results.
        split: the split that is read of the input; None for all.
        job: the number of the job that makes it.
        result: what proves that it is done, see the work that makes it; None if it is not.
    """

    input: str
    output: str
    split: str | None = None
    job: int = 0
    result: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Plan:
    """The content of the manifest.

    Attributes:
        folder: the folder of results.
        kind: ``predictions`` or ``stores``.
        made_with: what the results depend on beside the inputs, in plain values.
        run_with: other options of the jobs, which do not change the results.
        shards: the shards in order.
        jobs: number of jobs at once that the shards were divided for.
        counts: the checked sums over all shards; None while some are not done.
        version: of this package.
    """

    folder: Path
    kind: str
    made_with: Mapping[str, Any]
    run_with: Mapping[str, Any]
    shards: tuple[Shard, ...]
    jobs: int = 1
    counts: Mapping[str, int] | None = None
    version: str = ""

    def write(self) -> None:
        """Write the manifest, completely or not at all."""
        place = self.folder / FOLDER
        place.mkdir(parents=True, exist_ok=True)
        content = {"format": FORMAT, **asdict(self)}
        del content["folder"]
        replace_text(place / NAME, json.dumps(content, indent=1) + "\n")

    def of_job(self, job: int) -> list[Shard]:
        """Return the shards of a job."""
        return [each for each in self.shards if each.job == job]

    def folder_of(self, job: int) -> Path:
        """Return the folder of a job."""
        return self.folder / FOLDER / "jobs" / f"{job:04}"

    def record(self, shard: Shard, result: Mapping[str, Any]) -> None:
        """Write the result of a shard, or ``{"error": ...}``, where :meth:`with_results` finds it.

        Args:
            shard: the shard.
            result: plain values.
        """
        file = self._result_file(shard)
        file.parent.mkdir(parents=True, exist_ok=True)
        replace_text(file, json.dumps({"input": shard.input, "result": dict(result)}) + "\n")

    def with_results(self) -> "tuple[Plan, dict[str, str]]":
        """Return the plan with the results that jobs have written, and errors by output."""
        shards, errors = [], {}
        for each in self.shards:
            try:
                written = read_json(self._result_file(each), _LARGEST)
                result = dict(written["result"]) if written["input"] == each.input else {}
            except (OSError, DataError, ValueError, LookupError, TypeError):
                result = {}
            if "error" in result:
                errors[each.output] = str(result["error"])
            elif result:
                each = replace(each, result=result)
            shards.append(each)
        return replace(self, shards=tuple(shards)), errors

    def forget_results(self) -> None:
        """Remove the files of the results that are in the manifest, and of errors."""
        found, errors = self.with_results()
        for own, each in zip(self.shards, found.shards, strict=True):
            if own.result is not None or own.output in errors:
                self._result_file(each).unlink(missing_ok=True)

    def _result_file(self, shard: Shard) -> Path:
        return self.folder / FOLDER / _RESULTS / f"{shard.output.replace('/', '+')}.json"


def read_plan(folder: Path) -> Plan | None:
    """Read the manifest of a folder of results; None if it has none.

    One of an earlier version is returned as this version would have written it.

    Raises:
        ConfigError: it is damaged or of a later version, or the folder holds other files.
    """
    file = folder / FOLDER / NAME
    try:
        content = read_json(file, _LARGEST)
        if (found := content.pop("format")) != FORMAT:
            raise ValueError(f"format {found!r:.40}, expected {FORMAT}")
        content["shards"] = tuple(Shard(**each) for each in content["shards"])
        for each in content["shards"]:
            if Path(each.output).is_absolute() or ".." in Path(each.output).parts:
                raise ValueError(f"the output {each.output:.80} is not in the folder")
        content["made_with"] = {**_ADDED.get(content["kind"], {}), **content["made_with"]}
        return Plan(folder=folder, **content)
    except FileNotFoundError:
        others = [each.name for each in _visible(folder)]
        if others:
            raise ConfigError(
                f"{folder} is not empty ({', '.join(sorted(others)[:3])}) and has no "
                f"{FOLDER}/{NAME}; type --output FOLDER for a new folder"
            ) from None
        return None
    except (DataError, OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(
            f"{file}: cannot be read ({str(error)[:200]}); type --output FOLDER for a new folder, "
            "or remove this one"
        ) from error


def _visible(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [each for each in folder.iterdir() if not each.name.startswith(".")]


def continued(earlier: Plan | None, wanted: Plan, names: Mapping[str, str]) -> Plan:
    """Return the wanted plan with the names, jobs and results of an earlier one.

    Args:
        earlier: the plan in the folder; None if it is new.
        wanted: the plan of this command; its shards have no jobs yet.
        names: key of ``made_with`` -> what to call it in a message.

    Raises:
        ConfigError: the folder holds results of another kind, or made with other options.
    """
    known: dict[tuple[str, str | None], Shard] = {}
    if earlier is not None:
        _check_same(earlier, wanted, names)
        known = {(each.input, each.split): each for each in earlier.shards}
    # In lower case, for file systems that ignore case.
    taken = {each.output.lower() for each in known.values()}
    shards = []
    for each in wanted.shards:
        found = known.get((each.input, each.split))
        if found is None:
            found = replace(each, output=_unique(each.output, taken))
            taken.add(found.output.lower())
        elif earlier is not None and earlier.jobs != wanted.jobs:
            found = replace(found, job=0)
        shards.append(found)
    return replace(wanted, shards=tuple(shards))


def divided(plan: Plan, earlier: Plan | None) -> Plan:
    """Return the plan with a job for each shard that is not done.

    Jobs are of about equal size, each of consecutive shards. Numbers are not used again, because an
    earlier job may still be queued.
    """
    new = [each for each in plan.shards if each.result is None and each.job == 0]
    first = 1 + max((each.job for each in earlier.shards), default=0) if earlier else 1
    sizes = [_size(Path(each.input)) for each in new]
    total, before = sum(sizes), 0.0
    number = plan.jobs if total < _SMALL * plan.jobs else plan.jobs * _ROUNDS
    job_of: dict[str, int] = {}
    for position, (each, size) in enumerate(zip(new, sizes, strict=True)):
        share = (before + size / 2) / total if total else position / len(new)
        job_of[each.output] = first + min(number - 1, int(share * number))
        before += size
    shards = [replace(each, job=job_of.get(each.output, each.job)) for each in plan.shards]
    return replace(plan, shards=tuple(shards))


def _check_same(earlier: Plan, wanted: Plan, names: Mapping[str, str]) -> None:
    if earlier.kind != wanted.kind:
        raise ConfigError(
            f"{wanted.folder} holds {earlier.kind}, not {wanted.kind}; type --output FOLDER for "
            "another folder"
        )
    one, other = dict(earlier.made_with), json.loads(json.dumps(wanted.made_with))
    differing = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    if differing:
        told = "; ".join(
            f"{names.get(name, name)} was {_short(one.get(name))} and is {_short(other.get(name))}"
            for name in differing
        )
        raise ConfigError(
            f"{wanted.folder} holds {earlier.kind} made in another way: {told}. Type --output "
            "FOLDER for another folder, or repeat the earlier options"
        )


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unique(name: str, taken: set[str]) -> str:
    """Return the name, or one with a number before its suffix if it is taken in lower case."""
    head, dot, suffix = name.rpartition(".")
    head, suffix = (head, dot + suffix) if dot else (name, "")
    others = (f"{head}-{number}{suffix}" for number in count(2))
    return name if name.lower() not in taken else next(n for n in others if n.lower() not in taken)


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
        return path.stat().st_size
    except OSError:  # reported when it is read
        return 0
