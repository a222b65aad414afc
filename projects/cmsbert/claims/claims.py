"""Write the tables and figures of docs/results/claims.md from its records, or check them.

    python projects/cmsbert/claims/claims.py          # write
    python projects/cmsbert/claims/claims.py --check  # exit with 1 if one differs

A table stands between `<!-- table: KIND RECORD [OPTION...] -->` and `<!-- end -->`. KIND is a
function of tables.py, RECORD a file of docs/results/records without its ending. The line of
`<!-- about: RECORD -->` is followed by commands, seeds, hashes and versions, that of
`<!-- figure: RECORD KIND [OPTION...] -->` by a picture, of a KIND in figures.py.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from figures import draw, image, is_drawn
from keep import RECORDS
from tables import TABLES

from mmf_cmsbert.experiments.table import markdown
from mmf_cmsbert.files import replace_text

PAGE = RECORDS.parent / "claims.md"
_BLOCK = re.compile(r"(<!-- (table|about|figure): ([^>]*?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def rendered(text: str, records: Path = RECORDS, drawn: bool = True) -> str:
    """Return the page with every table and description computed anew.

    Args:
        text: the page.
        records: their folder.
        drawn: draw figures that are not of their records, else refuse them.

    Raises:
        SystemExit: a figure is not drawn from its record.
    """

    def block(match: re.Match[str]) -> str:
        head, kind, words, _, end = match.groups()
        if kind == "about":
            content = about(_record(records, words))
        elif kind == "figure":
            content = figure(words.split())
        else:
            name, record, *options = words.split()
            content = markdown(TABLES[name](_record(records, record), *options))
        return f"{head}\n{content}\n\n{end}"

    def figure(words: list[str]) -> str:
        name, *kind = words
        record = _record(records, name)
        content, file = image(record, name, kind, records.parent / "figures")
        if drawn:
            draw(record, kind, file)
        elif not is_drawn(record, file):
            sys.exit(f"{file} is not drawn from the record {name}: run claims.py")
        return content

    return _BLOCK.sub(block, text)


def about(record: Mapping[str, Any]) -> str:
    """Return what an experiment depends on, as Markdown."""
    seeds = sorted({run["seed"] for run in record["runs"]})
    versions = _different(record["versions"])
    torch, transformers, mmf = (
        " and ".join(dict.fromkeys(each[name] for each in versions))
        for name in ("torch", "transformers", "mmf")
    )
    machines = dict.fromkeys(map(_computed_on, _different(record["machine"])))
    hashes = [each[:12] for each in record["data_sha256"]]
    shown = ", ".join(hashes[:4]) + (f" and {len(hashes) - 4} more" if len(hashes) > 4 else "")
    commits = ", ".join(each["hash"][:9] for each in _different(record["commit"]))
    lines = [
        record["about"],
        "",
        *(f"    {command}" for command in record["commands"]),
        "",
        f"{len(record['runs'])} runs; seeds {', '.join(map(str, seeds))}; data sha256 {shown}; "
        f"commit {commits}; torch {torch}, transformers {transformers}, MMF {mmf}; "
        f"{' and '.join(machines)}.",
    ]
    return "\n".join(lines)


def _different(value: Any) -> list[Any]:
    """The different values of a field that keep.py writes as one if all runs have it in common."""
    return value if isinstance(value, list) else [value]


def _computed_on(machine: Mapping[str, Any]) -> str:
    if machine["gpu"]:
        return str(machine["gpu"])
    return f"{machine['threads']} CPU thread{'s' if machine['threads'] != 1 else ''} a run"


def _record(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="write nothing")
    given = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    now = rendered(text, drawn=not given.check)
    if not given.check:
        replace_text(PAGE, now)
    elif now != text:
        lines = zip(text.splitlines(), now.splitlines(), strict=False)
        differing = next((old for old, new in lines if old != new), "its end")
        sys.exit(f"{PAGE} differs from its records at: {differing}")


if __name__ == "__main__":
    main()
