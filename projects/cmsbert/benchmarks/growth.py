"""Measure what grows with the number of segments. README.md beside this file explains each number.

python projects/cmsbert/benchmarks/growth.py --segments 2857
python projects/cmsbert/benchmarks/growth.py --segments 22856
python projects/cmsbert/benchmarks/growth.py --model 100000000
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import steps
import synthetic_mosei

_INTERVAL = 0.02
_UPDATES = 20
_MMF_RUN = "from mmf_cmsbert.cli import mmf_run; mmf_run()"
_MMF_PREDICT = "from mmf_cmsbert.cli import mmf_predict; mmf_predict()"
_CMSBERT = "from mmf_cmsbert.commands import main; main()"
# Step -> the splits whose segments it works on.
_WORKS_ON = {
    "convert": ("train", "valid", "test"),
    "first run": ("train", "valid"),
    "train": ("train",),
    "train, 2 processes": ("train",),
    "validate": ("valid",),
    "mmf_predict": ("test",),
    "cmsbert predict": ("test",),
    "report": ("valid",),  # what a run without a test scores
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    measured = json.loads(given.out.read_text()) if given.out.exists() else {}
    if given.segments:
        with _folder(given.folder) as folder:
            for step, values in measure(folder, given.segments, given.steps):
                measured.setdefault(str(given.segments), {})[step] = values
                given.out.write_text(json.dumps(measured, indent=1))
    print(table(measured))
    if given.model:
        print(model(measured, given.model))


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--segments", type=int, help="size to measure; MOSEI has 22856")
    parser.add_argument("--steps", nargs="+", choices=_WORKS_ON, default=list(_WORKS_ON))
    parser.add_argument("--model", type=int, metavar="SEGMENTS", help="extrapolate to this size")
    parser.add_argument("--folder", type=Path, help="keep corpus and runs here (temporary)")
    parser.add_argument("--out", type=Path, default=Path("growth_benchmark.json"))
    return parser.parse_args(arguments)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given:
        given.mkdir(parents=True, exist_ok=True)
        yield given.absolute()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def measure(
    folder: Path, segments: int, names: Sequence[str]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield of each step: segments, seconds, processor seconds, peak private bytes, disk bytes."""
    corpus, store, run = folder / "corpus.pkl", folder / "store", folder / "run"
    if not corpus.exists():
        synthetic_mosei.write(corpus, segments)
    counts = synthetic_mosei.counts(segments)
    training = [
        "config=projects/cmsbert/mosei.yaml", f"dataset_config.mosei.source={store}",
        f"dataset_config.mosei.store_dir={folder / 'pieces'}",
        "model_config.cmsbert.backbone.name=projects/cmsbert/demo",
        "model_config.cmsbert.backbone.from_config=projects/cmsbert/demo",
        "model_config.cmsbert.backbone.pooling=mean", "training.batch_size=32",
        "training.report=false", "env.overwrite=true",
    ]  # fmt: skip
    short = [f"training.max_updates={_UPDATES}", "training.evaluation_interval=1000000"]
    # Without an evaluation, so that its time is that of the training alone.
    only = [*training, *short, "run_type=train"]
    steps_ = {
        "convert": (_CMSBERT, ["data", "convert", str(corpus), "--dataset", "mosei", "--output",
                               str(store)], store),
        "first run": (_MMF_RUN, [*only, f"env.save_dir={folder / 'first'}"], folder / "pieces"),
        "train": (_MMF_RUN, [*only, f"env.save_dir={folder / 'trained'}"], folder / "trained"),
        "train, 2 processes": (_MMF_RUN, [*only, "training.trainer=lightning_cmsbert",
                               "training.lightning.devices=2", f"env.save_dir={folder / 'two'}"],
                               folder / "two"),
        "validate": (_MMF_RUN, [*training, "training.max_updates=1",
                                "training.evaluation_interval=1", "run_type=train_val",
                                f"env.save_dir={run}"], run),
        "mmf_predict": (_MMF_PREDICT, [f"env.save_dir={run}"], None),
        "cmsbert predict": (_CMSBERT, ["predict", str(run / "model"), "--input", str(store),
                            "--split", "test", "--output", str(folder / "scores.csv")],
                            folder / "scores.csv"),
        "report": (_CMSBERT, ["report", str(run)], run / "report.html"),
    }  # fmt: skip
    for name in names:
        program, words, left = steps_[name]
        print(f"{segments}: {name} ...", file=sys.stderr, flush=True)
        call = [sys.executable, "-c", program, *words]
        values = watched(call, folder / "output.log")
        values["segments"] = sum(counts[split] for split in _WORKS_ON[name])
        values["bytes"] = 0 if left is None else _size(left)
        yield name, values


def watched(call: Sequence[str], log: Path) -> dict[str, float]:
    """Run a command; return its seconds, processor seconds, and highest private bytes."""
    started, peak, before = time.perf_counter(), 0, _processor_seconds()
    with open(log, "wb") as output:
        child = subprocess.Popen(call, stdout=output, stderr=subprocess.STDOUT)
        while child.poll() is None:
            with suppress(OSError, IndexError):  # it has just ended
                peak = max(peak, steps.private_memory(child.pid))
            time.sleep(_INTERVAL)
    if child.returncode:
        sys.exit(f"growth.py: {' '.join(call)} failed:\n{log.read_text(errors='replace')[-3000:]}")
    return {
        "seconds": time.perf_counter() - started,
        "cpu": _processor_seconds() - before,
        "peak": peak,
    }


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def table(measured: dict[str, Any]) -> str:
    """Format all values: for each step and size seconds, peak memory, bytes left."""
    rows = [
        f"{'step':<20}{'segments':>10}{'seconds':>10}{'cpu s':>10}{'peak MB':>10}{'disk MB':>10}"
    ]
    for name in _WORKS_ON:
        for size in sorted(measured, key=int):
            if each := measured[size].get(name):
                rows.append(
                    f"{name:<20}{each['segments']:>10,}{each['seconds']:>10.1f}{each['cpu']:>10.1f}"
                    f"{each['peak'] / 1e6:>10.1f}{each['bytes'] / 1e6:>10.1f}"
                )
    return "\n".join(rows)


def model(measured: dict[str, Any], segments: int) -> str:
    """Extrapolate by a line through the measured sizes: a model, not a measurement."""
    rows = [f"model for {segments:,} segments: start + segments x slope (least squares)"]
    for name in _WORKS_ON:
        found = [each[name] for each in measured.values() if name in each]
        if len(found) < 2:
            continue
        counts = [each["segments"] for each in found]
        for value, unit, scale in (
            ("cpu", "h", 3600),
            ("peak", "GB", 1e9),
            ("bytes", "GB", 1e9),
        ):
            slope, start = np.polyfit(counts, [each[value] for each in found], 1)
            whole = (start + slope * segments) / scale
            rows.append(
                f"{name:<20}{value:<9}{start:>16,.1f} + n x {slope:<14.6g} = {whole:,.2f} {unit}"
            )
    return "\n".join(rows)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
