"""Compare the stores of several checkouts of this package: conversion, first batch, random reads.

    python projects/cmsbert/benchmarks/store_versions.py /checkouts/first /checkouts/now

Every measurement is a fresh process with that checkout's package, on one synthetic corpus of
CMU-MOSEI's size. The checkouts take turns, in an order that reverses from round to round. The last
one's stores are also read with the library ``datasets``.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import data
import steps
import synthetic_mosei

LIBRARY = "datasets"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("checkouts", nargs="+", type=Path)
    parser.add_argument("--segments", type=int, default=sum(synthetic_mosei.SPLITS.values()))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("store_versions.json"))
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure([each.absolute() for each in given.checkouts], given, Path(folder))
    print(table(measured), f"\nall values: {given.out}", sep="\n")


def measure(checkouts: Sequence[Path], given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return checkout -> measurement -> its values, one per round."""
    corpus = folder / "corpus.pkl"
    synthetic_mosei.write(corpus, given.segments)
    measured: dict[str, dict[str, list[float]]] = {each.name: {} for each in checkouts}
    measured[LIBRARY] = {}
    for number in range(given.rounds):
        for tree in checkouts[:: -1 if number % 2 else 1]:
            options = {
                "file": str(corpus),
                "stores": str(folder / tree.name),
                "save_dir": str(folder / "save"),
                "backbone": "projects/cmsbert/demo",
            }
            environment = os.environ | {"PYTHONPATH": str(tree)}
            own = tree / "projects" / "cmsbert" / "benchmarks" / "steps.py"
            plan = [("convert", own), ("run", own), ("read", Path(__file__))]
            plan += [(LIBRARY, Path(__file__))] * (tree == checkouts[-1])
            for step, file in plan:
                print(f"{number + 1}: {tree.name}: {step} ...", file=sys.stderr, flush=True)
                found = data.process(step, options, folder, file, environment)
                row = measured[LIBRARY if step == LIBRARY else tree.name]
                for name, value in found.items():
                    row.setdefault(f"{step} {name}", []).append(value)
                given.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    return measured


def read(options: dict[str, Any]) -> steps.Found:
    """Read all segments in random order, checksums compared."""
    from mmf_cmsbert.datasets.stores.store import StoredSegments

    return _in_random_order(options, StoredSegments, 1)


def read_with_library(options: dict[str, Any]) -> steps.Found:
    """The same with ``datasets``, without checksums: every tenth, as it is slow."""
    from datasets import Dataset

    def opened(folder: Path) -> Any:
        return Dataset.from_file(str(folder / "segments.arrow")).with_format("numpy")

    return _in_random_order(options, opened, 10)


def _in_random_order(
    options: dict[str, Any], opened: Callable[[Path], Any], step: int
) -> steps.Found:
    before, started = steps.private_memory(), time.perf_counter()
    folders = sorted(each.parent for each in Path(options["stores"]).rglob("manifest.json"))
    stores = [opened(folder) for folder in folders]
    opening = time.perf_counter() - started
    places = [(store, index) for store in stores for index in range(len(store))]
    random.Random(0).shuffle(places)
    places = places[::step]
    processor = time.process_time()
    for store, index in places:
        store[index]
    return {
        "opening": opening,
        "microseconds": (time.process_time() - processor) / len(places) * 1e6,
        "private": steps.private_memory() - before,
    }


ROWS = {
    "conversion, s": ("convert seconds", 1),
    "conversion, processor s with imports": ("convert cpu", 1),
    "conversion, highest private memory, MB": ("convert peak", 1e6),
    "to the first batch, s": ("run seconds", 1),
    "an epoch of batches, processor s with imports": ("run cpu", 1),
    "private memory after an epoch of batches, MB": ("run private_after_epoch", 1e6),
    "opening the three splits, ms": ("read opening", 1e-3),
    "a segment, read in random order, processor µs": ("read microseconds", 1),
    "private memory after them, MB": ("read private", 1e6),
}


def table(measured: dict[str, Any]) -> str:
    """Format medians, and the range of the rounds, as Markdown."""
    lines = [["", *measured], ["---"] * (1 + len(measured))]
    for title, (key, unit) in ROWS.items():
        cells = []
        for name, found in measured.items():
            own = key.replace("read", LIBRARY) if name == LIBRARY else key
            values = [value / unit for value in found.get(own, ())]
            if not values:
                cells.append("")
                continue
            middle, low, high = (_shown(each(values)) for each in (median, min, max))
            cells.append(f"{middle} ({low} to {high})")
        lines.append([title, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    if sys.argv[1] in ("read", LIBRARY):
        step, options, result = sys.argv[1:]
        found = (read if step == "read" else read_with_library)(json.loads(options))
        Path(result).write_text(json.dumps(found), encoding="utf-8")
    else:
        main()
