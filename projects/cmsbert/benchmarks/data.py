"""Measure time and memory for a corpus of CMU-MOSEI's size. README.md beside this file explains
each number.

    python projects/cmsbert/benchmarks/data.py
    python projects/cmsbert/benchmarks/data.py --folder /data/benchmark --text --repeats 5
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import steps
import synthetic_mosei

# Seconds between two samples of a process's memory.
_INTERVAL = 0.01
_LIBRARIES = ("mmf", "torch", "transformers", "pyarrow", "numpy")


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    if not Path("/proc/self/status").exists():
        sys.exit("data.py: /proc/PID/status is missing; memory can be measured on Linux only")
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
        measured = measure(given, given.folder.absolute())
    else:
        with tempfile.TemporaryDirectory() as folder:
            measured = measure(given, Path(folder))
    given.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    print(table(measured), f"\nall values: {given.out}", sep="\n")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    whole = sum(synthetic_mosei.SPLITS.values())
    parser.add_argument("--segments", type=int, default=whole, help="segments in all (MOSEI's)")
    parser.add_argument("--text", action="store_true", help="add the 768 published text columns")
    parser.add_argument("--repeats", type=int, default=3, help="repeats of each measurement")
    parser.add_argument("--cold", action="store_true", help="read from the disk, not its cache")
    parser.add_argument("--folder", type=Path, help="keep corpus and stores here (temporary)")
    parser.add_argument("--backbone", default="projects/cmsbert/demo", help="name of its tokenizer")
    parser.add_argument("--out", type=Path, default=Path("data_benchmark.json"))
    return parser.parse_args(arguments)


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return the values of every measurement in seconds and bytes, one per repeat."""
    file = folder / f"synthetic_mosei_{given.segments}{'_text' if given.text else ''}.pkl"
    stores = folder / "stores"
    options = {
        "file": str(file),
        "stores": str(stores),
        "save_dir": str(folder / "save"),
        "segments": given.segments,
        "text": given.text,
        "backbone": given.backbone,
    }
    measured: dict[str, Any] = {"segments": given.segments, "text": given.text, "cold": given.cold}
    plan = [] if file.exists() else ["write_corpus"]
    for step in (*plan, *["convert", "run", "load_pickle"] * given.repeats):
        if given.cold:
            _out_of_cache(folder)
        print(f"{step} ...", file=sys.stderr, flush=True)
        for name, value in process(step, options, folder).items():
            measured.setdefault(step, {}).setdefault(name, []).append(value)
    measured["pickle_bytes"] = file.stat().st_size
    measured["store_bytes"] = sum(f.stat().st_size for f in stores.rglob("*") if f.is_file())
    return measured | {"machine": _machine()}


def process(
    step: str,
    options: dict[str, Any],
    folder: Path,
    file: str | Path = steps.__file__,
    environment: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Run a step in its own process.

    Returns:
        Its values; ``peak``, the process's highest private memory; ``cpu``, its processor seconds.
    """
    result, log = folder / "result.json", folder / f"{step}.log"
    call = [sys.executable, str(file), step, json.dumps(options), str(result)]
    peak, before = 0, resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(log, "wb") as output:
        child = subprocess.Popen(call, stdout=output, stderr=subprocess.STDOUT, env=environment)
        while child.poll() is None:
            with suppress(OSError, IndexError):  # it has just ended
                peak = max(peak, steps.private_memory(child.pid))
            time.sleep(_INTERVAL)
    if child.returncode:
        sys.exit(f"data.py: {step} failed:\n{log.read_text(errors='replace')[-3000:]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(result.read_text(encoding="utf-8")) | {"peak": peak, "cpu": cpu}


def _out_of_cache(folder: Path) -> None:
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def table(measured: dict[str, Any]) -> str:
    """Format the medians, with the range of the repeats."""
    convert, run, whole = (measured[step] for step in ("convert", "run", "load_pickle"))
    of_it = [peak - before for peak, before in zip(convert["peak"], convert["before"], strict=True)]
    rows = [
        ("MMSA pickle on disk", _size([measured["pickle_bytes"]])),
        ("store on disk", _size([measured["store_bytes"]])),
        ("conversion (once): time", _time(convert["seconds"])),
        ("conversion: highest private memory of the process", _size(convert["peak"])),
        ("conversion: the part since loading began", _size(of_it)),
        ("run: dataset time to the first batch", _time(run["seconds"])),
        ("run: private memory of the data, first batch", _size(run["private"])),
        ("run: private memory of the data, after an epoch", _size(run["private_after_epoch"])),
        ("run: an epoch of batches, without a model", _time(run["epoch_seconds"])),
        ("pickle.load of the whole file: time", _time(whole["seconds"])),
        ("pickle.load: private memory", _size(whole["private"])),
    ]
    cache = "read from the disk" if measured["cold"] else "in the disk cache"
    title = f"synthetic corpus of {measured['segments']:,} segments, files {cache}"
    return "\n".join([title, *(f"  {name:<50}{value}" for name, value in rows)])


def _size(values: Sequence[float]) -> str:
    return _spread([value / 1e6 for value in values], "MB", 0)


def _time(values: Sequence[float]) -> str:
    return _spread(values, "s", 2)


def _spread(values: Sequence[float], unit: str, digits: int) -> str:
    middle, low, high = (f"{f(values):,.{digits}f}" for f in (median, min, max))
    return f"{middle:>8} {unit}" + (f"   ({low} to {high})" if len(values) > 1 else "")


def _machine() -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            versions[library] = "unknown"
    return {"cores": os.cpu_count(), "threads": os.environ.get("OMP_NUM_THREADS")} | versions


if __name__ == "__main__":
    main()
