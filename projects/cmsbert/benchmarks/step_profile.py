"""Profile a training step of the whole model: how long each kind of operation takes.

    python projects/cmsbert/benchmarks/step_profile.py --out now.json
    python projects/cmsbert/benchmarks/step_profile.py --plot step_profile.svg before.json now.json

Times are those of the calling thread, on one thread, the median of the rounds. README.md beside
this file shows the picture.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from step import segment_lengths
from step_variants import ALL, VARIANTS, Workbench
from torch.profiler import ProfilerActivity, profile

# Kind of operation -> beginnings of its names; the first that fits counts.
KINDS = {
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm"),
    "GELU, softmax, norms": ("aten::gelu", "aten::_softmax", "aten::native_layer_norm"),
    "dropout masks": ("aten::bernoulli_", "aten::ge", "aten::random_", "_Dropout"),
    "update and average": (
        "aten::_fused_adamw_",
        "Optimizer.",
        "aten::linalg_vector_norm",
        "aten::lerp_",
        "aten::_foreach",
    ),
    "copies": (
        "aten::copy_",
        "aten::fill_",
        "aten::cat",
        "aten::index",
        "aten::scatter",
        "aten::gather",
        "aten::select_backward",
        "aten::slice_backward",
    ),
    "other elementwise": ("aten::mul", "aten::add", "aten::sum", "aten::where", "aten::div"),
}
REST = "the rest, and calls"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--backbone", default="minilm", help="base, minilm, or a folder")
    parser.add_argument("--rounds", type=int, default=7, help="steps that are profiled")
    parser.add_argument("--batch", type=int, default=48, help="segments of a step")
    parser.add_argument("--out", type=Path, default=Path("step_profile.json"), help="JSON to write")
    parser.add_argument("--plot", type=Path, help="picture of earlier results, instead of a step")
    parser.add_argument("results", nargs="*", type=Path, help="JSON files to plot")
    given = parser.parse_args(arguments)
    if given.plot:
        plot(
            {each.stem: json.loads(each.read_text(encoding="utf-8")) for each in given.results},
            given.plot,
        )
        return
    found = measure(given.backbone, given.batch, given.rounds)
    given.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    for kind, milliseconds in found.items():
        print(f"{kind:<22}{milliseconds:8.1f} ms")


def measure(backbone: str, batch: int, rounds: int) -> dict[str, float]:
    """Return the milliseconds of each kind in a step, medians of the rounds."""
    torch.set_num_threads(1)
    bench = Workbench(backbone)
    options = argparse.Namespace(
        transcripts=None, tokenizer=None, segments=batch, batch=batch, seed=1
    )
    inputs = bench.batch(segment_lengths(options)[:batch], padded=False)
    seconds: dict[str, list[float]] = defaultdict(list)
    for round_ in range(rounds + 2):
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            bench.train(VARIANTS[ALL], inputs)
        if round_ < 2:  # warm-up
            continue
        total: dict[str, float] = dict.fromkeys([*KINDS, REST], 0.0)
        for event in profiled.key_averages():
            total[kind_of(event.key)] += event.self_cpu_time_total / 1000
        for kind, milliseconds in total.items():
            seconds[kind].append(milliseconds)
    return {kind: median(values) for kind, values in seconds.items()}


def kind_of(operation: str) -> str:
    """Return the kind of an operation by its name in the profile."""
    for kind, beginnings in KINDS.items():
        if operation.startswith(beginnings):
            return kind
    return REST


def plot(results: dict[str, dict[str, float]], file: Path) -> None:
    """Plot results as bars: milliseconds of each kind of operation."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.7 * len(results) + 1.6), layout="constrained")
    axes = figure.subplots()
    left = [0.0] * len(results)
    for kind in [*KINDS, REST]:
        sizes = [each[kind] for each in results.values()]
        axes.barh(list(results), sizes, left=left, label=kind)
        left = [a + b for a, b in zip(left, sizes, strict=True)]
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds of a step, one thread")
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    figure.savefig(file)


if __name__ == "__main__":
    main()
