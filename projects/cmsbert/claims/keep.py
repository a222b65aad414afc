r"""Keep what claims.md rests on: the scores of an experiment's runs, and what they depend on.

    python projects/cmsbert/claims/keep.py NAME --about "..." --folder save/ablations \
        --command "cmsbert ablate ..."

writes `docs/results/records/NAME.json` from the records of all finished runs in the folders. `--add
FILE` adds the JSON of `cmsbert robustness` or `cmsbert benchmark places --json`. Type the command
as a user would, without the folders of your machine: they are left out everywhere else too.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmf_cmsbert.files import replace_text
from mmf_cmsbert.records import history, record

RECORDS = Path(__file__).resolve().parents[3] / "docs/results/records"
FORMAT = 1
_DIGITS = 6
# Of a file that is added: what names folders, and what follows from the runs' scores.
_COMPUTED = ("command", "runs", "points", "comparisons", "controls")


def kept(
    folders: Sequence[Path],
    commands: Sequence[str],
    about: str,
    added: Iterable[Path] = (),
    labels: Sequence[str] = (),
    recipes: Sequence[str] = (),
    bases: str = "",
    synthetic: bool = False,
) -> dict[str, Any]:
    """Return the record of an experiment.

    Args:
        folders: of experiments, with `runs/RECIPE/BASE/seed_N/run.json`.
        commands: that made them.
        about: what it is, in a sentence.
        added: JSON files of other commands.
        labels: added to the recipes' names of each folder, such as a rate.
        recipes: keep only runs of these.
        bases: keep only runs whose base contains this regular expression.
        synthetic: the data is, although runs of an earlier version do not say so.

    Raises:
        SystemExit: a folder holds no finished run.
    """
    found: list[tuple[dict[str, Any], Mapping[str, Any]]] = []
    for folder, label in zip(folders, labels or [""] * len(folders), strict=True):
        read = [(file, record.read(file)) for file in sorted(folder.rglob(record.NAME))]
        finished = [(file, each) for file, each in read if each["status"] == "finished"]
        if not finished:
            sys.exit(f"{folder}: no finished run is in it")
        for file, each in finished:
            run = _run(file.parent, folder, each)
            if (not recipes or run["recipe"] in recipes) and re.search(bases, run["base"]):
                run["recipe"] = f"{run['recipe']} {label}".strip()
                found.append((run, each))
    records = [each for _, each in found]
    content = {
        "format": FORMAT,
        "about": about,
        "commands": list(commands),
        "synthetic": synthetic or any(map(record.is_synthetic, records)),
        "commit": _all(each["commit"] for each in records),
        "code_sha256": _all(each["code_sha256"] for each in records),
        "versions": _all(each["versions"] for each in records),
        "machine": _all(
            {key: each["machine"][key] for key in ("system", "gpu", "threads")} for each in records
        ),
        "data_sha256": _hashes(records),
        "backbone": _all(each["backbone"] for each in records),
        "criterion": _all(each["criterion"] for each in records),
        "runs": [run for run, _ in found],
    }
    for file in added:
        own = {key: each for key, each in _read(file).items() if key not in _COMPUTED}
        content.setdefault("added", []).append(_without_folders(own))
    return _rounded(content)


def _run(run: Path, folder: Path, recorded: Mapping[str, Any]) -> dict[str, Any]:
    parts = [part for part in run.relative_to(folder).parts[:-1] if part != "runs"]
    name = recorded["criterion"]["name"]
    curve = [
        [entry.update, entry.validation.get(name)]
        for entry in history.read(run)
        if isinstance(entry, history.Validation)
    ]
    return {
        "recipe": parts[0],
        "base": "/".join(parts[1:]),
        "seed": recorded["seed"],
        "best": recorded["best"],
        "updates": recorded["updates"],
        "validation": recorded["validation"],
        "test": recorded["test"],
        "curve": curve,
    }


def _hashes(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """The hashes of all files that were read, without their names."""
    found = set()
    for each in records:
        for splits in each["data"].values():
            for files in splits.values():
                found |= {str(value) for value in files.values()}
    return sorted(found)


def _all(values: Iterable[Any]) -> Any:
    """The value if all are equal, else the list of the different ones."""
    different: list[Any] = []
    for value in values:
        if value not in different:
            different.append(value)
    return different[0] if len(different) == 1 else different


def _without_folders(value: Any) -> Any:
    """Shorten paths to their last three parts."""
    if isinstance(value, dict):
        return {key: _without_folders(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_folders(each) for each in value]
    if isinstance(value, str) and "/" in value:
        return "/".join(Path(value).parts[-3:])
    return value


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return value


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="of the record")
    parser.add_argument("--folder", type=Path, action="append", required=True)
    parser.add_argument("--command", action="append", required=True)
    parser.add_argument("--label", action="append", default=[], help="of each --folder's recipes")
    parser.add_argument("--recipe", action="append", default=[], help="keep only these")
    parser.add_argument("--bases", default="", help="keep only these: a regular expression")
    parser.add_argument("--synthetic", action="store_true", help="for runs that do not say so")
    parser.add_argument("--about", required=True, help="what it is, in a sentence")
    parser.add_argument("--add", type=Path, action="append", default=[])
    given = parser.parse_args()
    content = kept(
        given.folder,
        given.command,
        given.about,
        given.add,
        given.label,
        given.recipe,
        given.bases,
        given.synthetic,
    )
    RECORDS.mkdir(parents=True, exist_ok=True)
    file = RECORDS / f"{given.name}.json"
    lines = json.dumps(content, separators=(",", ":")).replace('{"recipe"', '\n{"recipe"')
    replace_text(file, lines + "\n")
    print(f"{file}: {len(content['runs'])} runs")


if __name__ == "__main__":
    main()
