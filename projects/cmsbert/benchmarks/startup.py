"""Measure the phases of `mmf_run` from the shell to its first update. README.md beside this file
explains each number.

    python projects/cmsbert/benchmarks/startup.py
    python projects/cmsbert/benchmarks/startup.py --repeats 9 config=my.yaml training.seed=2
"""

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import startup_phases
from data import _machine as machine

_DEMO = "config=projects/cmsbert/demo.yaml"
# As the installed command; its name tells the package not to import MMF yet.
_SHORT = {
    "cmsbert --help": "import sys; sys.argv[:] = ['cmsbert', '--help']; "
    "from mmf_cmsbert.commands import app; app()",
    "mmf_run --help": "import sys; sys.argv[:] = ['mmf_run', '--help']; "
    "from mmf_cmsbert.cli import mmf_run; mmf_run()",
    # No run can start faster.
    "torch and a BERT alone": "import torch; from transformers import BertModel",
}
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)")
_SHOWN = 8


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(given, Path(folder))
    given.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    print(table(measured), f"\nall values: {given.out}", sep="\n")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("words", nargs="*", default=[_DEMO], help="arguments of mmf_run (the demo)")
    parser.add_argument("--repeats", type=int, default=5, help="repeats after one warm-up")
    parser.add_argument("--out", type=Path, default=Path("startup_benchmark.json"))
    return parser.parse_args(arguments)


def measure(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return each phase's seconds, one value per repeat, and each library's import microseconds."""
    words = [*given.words, f"env.save_dir={folder / 'save'}"]
    phases: dict[str, dict[str, list[float]]] = {}
    for repeat in range(given.repeats + 1):
        found = _phases(words, folder)
        print(f"start {repeat}: {_wall(found):.1f} s", file=sys.stderr, flush=True)
        if repeat:  # the first one warms the disk cache, and may create the demo's data
            for phase, values in found.items():
                for clock, value in values.items():
                    phases.setdefault(phase, {}).setdefault(clock, []).append(value)
    return {
        "words": given.words,
        "phases": phases,
        "imports": import_times(_imported()),
        **{name: [_timed(each) for _ in range(given.repeats)] for name, each in _SHORT.items()},
        "machine": machine(),
    }


def _wall(found: dict[str, dict[str, float]]) -> float:
    return sum(values["wall"] for values in found.values())


def _phases(words: Sequence[str], folder: Path) -> dict[str, dict[str, float]]:
    out, log = folder / "phases.json", folder / "log"
    call = [sys.executable, startup_phases.__file__, str(time.time()), str(out), *words]
    with open(log, "wb") as output:
        process = subprocess.run(call, stdout=output, stderr=subprocess.STDOUT)
    if process.returncode:
        sys.exit(f"startup.py: mmf_run failed:\n{log.read_text(errors='replace')[-3000:]}")
    return json.loads(out.read_text(encoding="utf-8"))


def _imported() -> str:
    call = [sys.executable, "-X", "importtime", "-c", "import mmf_cmsbert.cli.start"]
    return subprocess.run(call, check=True, stderr=subprocess.PIPE, text=True).stderr


def import_times(log: str) -> dict[str, int]:
    """Map libraries to the microseconds of their modules, from `-X importtime`, largest first."""
    found: Counter[str] = Counter()
    for microseconds, module in _IMPORT.findall(log):
        found[module.partition(".")[0]] += int(microseconds)
    return dict(found.most_common())


def _timed(program: str) -> dict[str, float]:
    before, started = _processor_of_children(), time.time()
    call = [sys.executable, "-c", program]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    return {"wall": time.time() - started, "cpu": _processor_of_children() - before}


def _processor_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def table(measured: dict[str, Any]) -> str:
    """Format the medians, with the range of the repeats."""
    phases = measured["phases"]
    rows = [f"mmf_run {' '.join(measured['words'])}", f"{'':<24}{'time':<26}processor time"]
    for phase, values in phases.items():
        rows.append(f"  {phase:<22}{_spread(values['wall'])}{_spread(values['cpu'])}")
    whole = {
        clock: [sum(each) for each in zip(*(phases[p][clock] for p in phases), strict=True)]
        for clock in ("wall", "cpu")
    }
    rows.append(f"  {'to the first update':<22}{_spread(whole['wall'])}{_spread(whole['cpu'])}")
    for name in _SHORT:
        wall, cpu = ([each[clock] for each in measured[name]] for clock in ("wall", "cpu"))
        rows.append(f"{name:<24}{_spread(wall)}{_spread(cpu)}")
    total = sum(measured["imports"].values())
    largest = list(measured["imports"].items())[:_SHOWN]
    shares = ", ".join(f"{library} {time / total:.0%}" for library, time in largest)
    rows.append(f"of {total / 1e6:.1f} s of imports (one run): {shares}")
    return "\n".join(row.rstrip() for row in rows)


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} s ({min(values):.2f} to {max(values):.2f})".ljust(26)


if __name__ == "__main__":
    main()
