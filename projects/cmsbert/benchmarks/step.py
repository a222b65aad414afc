"""Compare training step and evaluation with the reference implementation. README.md beside this
file explains the variants.

    python projects/cmsbert/benchmarks/step.py
    python projects/cmsbert/benchmarks/step.py --backbone minilm --transcripts mosi.csv --rounds 9
    python projects/cmsbert/benchmarks/step.py --device cuda --plot step.png
"""

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from data import _machine as machine
from step_variants import ALL, ALL_BF16, PADDED, REFERENCE, VARIANTS, Variant, Workbench

Values = dict[str, list[float]]


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    if given.memory_of:
        print(peak_memory(given))
        return
    measured = measure(given)
    given.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    print(table(measured), f"\nall values: {given.out}", sep="\n")
    if given.plot:
        plot(measured, given.plot)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "--backbone", default="base", help="base, minilm, or a folder (config.json)"
    )
    parser.add_argument(
        "--transcripts", type=Path, help="CSV with a column transcript: real lengths"
    )
    parser.add_argument("--tokenizer", default="bert-base-uncased", help="for the transcripts")
    parser.add_argument("--batch", type=int, default=48, help="segments per training step")
    parser.add_argument("--rounds", type=int, default=5, help="measured steps of each variant")
    parser.add_argument("--segments", type=int, default=192, help="segments per evaluation")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, help="all by default")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a busy machine"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("step_benchmark.json"))
    parser.add_argument("--plot", type=Path, help="an image of the table (needs matplotlib)")
    parser.add_argument("--memory-of", choices=VARIANTS, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def segment_lengths(given: argparse.Namespace) -> list[int]:
    """Return the word pieces of each segment, [CLS] and [SEP] included, 50 at most."""
    if given.transcripts is None:
        # MOSI's train split has median 12, mean 14.8 and 95th percentile 31: a log-normal.
        random = np.random.default_rng(given.seed)
        drawn = random.lognormal(np.log(12), np.log(31 / 12) / 1.645, 1284).round().astype(int)
        return np.clip(drawn, 3, PADDED).tolist()
    from transformers import AutoTokenizer

    with open(given.transcripts, encoding="utf-8", newline="") as file:
        texts = [row["transcript"].lower() for row in csv.DictReader(file)]
    pieces = AutoTokenizer.from_pretrained(given.tokenizer)(texts)["input_ids"]
    return [min(len(ids), PADDED) for ids in pieces]


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Return seconds and padding of every variant, one per round, and peak memory in bytes."""
    lengths = segment_lengths(given)
    chosen = {name: VARIANTS[name] for name in given.variants or VARIANTS}
    steps: dict[str, Values] = {name: {} for name in chosen}
    bench = Workbench(given.backbone, given.device, given.clock)
    random = np.random.default_rng(given.seed)
    # The first round builds optimizers and warms up: it does not count.
    for round_ in range(given.rounds + 1):
        drawn = random.choice(lengths, given.batch, replace=len(lengths) < given.batch).tolist()
        # The order reverses every round, so that a slow phase of the machine affects all variants.
        for name in list(chosen)[:: -1 if round_ % 2 else 1]:
            variant = chosen[name]
            found = bench.train(variant, bench.batch(drawn, variant.padded, round_))
            print(f"round {round_}: {name}: {_total(found):.2f} s", file=sys.stderr, flush=True)
            if round_:
                for key, value in found.items():
                    steps[name].setdefault(key, []).append(value)
    return {
        "backbone": given.backbone,
        "lengths": "real" if given.transcripts else "synthetic",
        "batch": given.batch,
        "pieces": sum(lengths) / len(lengths),
        "steps": steps,
        "evaluation": _evaluations(bench, lengths, given, random),
        "memory": {
            name: _memory(given, name) for name in (REFERENCE, ALL, ALL_BF16) if name in chosen
        },
        "gpu_share": _gpu_shares(bench, chosen, lengths[: given.batch]),
        "device": given.device,
        "clock": given.clock,
        "machine": machine() | {"torch_threads": torch.get_num_threads()},
    }


def _gpu_shares(
    bench: Workbench, chosen: Mapping[str, Variant], lengths: list[int]
) -> dict[str, float]:
    """Return the GPU shares of the reference and of ours; empty without a GPU."""
    if bench.device.type != "cuda":
        return {}
    return {
        name: bench.gpu_share(chosen[name], bench.batch(lengths, chosen[name].padded))
        for name in (REFERENCE, ALL, ALL_BF16)
        if name in chosen
    }


def _evaluations(bench: Workbench, lengths: list[int], given, random) -> Values:
    """Return seconds for the same segments: batches in the given order, ours packed, and sorted."""
    drawn, batch = random.choice(lengths, given.segments).tolist(), given.batch
    ways = {
        REFERENCE: (REFERENCE, drawn, batch),
        "ours": (ALL, drawn, batch),
        "ours, sorted": (ALL, sorted(drawn), given.segments),
        "ours, sorted, bf16": (ALL_BF16, sorted(drawn), given.segments),
    }
    seconds: Values = {name: [] for name in ways}
    for round_ in range(given.rounds + 1):
        for name in list(ways)[:: -1 if round_ % 2 else 1]:
            variant, order, size = ways[name]
            parts = [order[at : at + size] for at in range(0, len(order), size)]
            batches = [bench.batch(part, VARIANTS[variant].padded) for part in parts]
            found = bench.evaluate(VARIANTS[variant], batches)
            print(f"round {round_}: evaluation: {name}: {found:.2f} s", file=sys.stderr, flush=True)
            if round_:
                seconds[name].append(found)
    return seconds


def peak_memory(given: argparse.Namespace) -> int:
    """Return the peak memory in bytes of two steps of one variant: of this process, or the GPU."""
    bench, variant = Workbench(given.backbone, given.device), VARIANTS[given.memory_of]
    # One segment has the maximum length.
    drawn = [*segment_lengths(given)[: given.batch - 1], PADDED]
    for _ in range(2):
        bench.train(variant, bench.batch(drawn, variant.padded))
    if bench.device.type == "cuda":
        return torch.cuda.max_memory_allocated(bench.device)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _memory(given: argparse.Namespace, name: str) -> int:
    """Return :func:`peak_memory` of a fresh process."""
    options = ["--memory-of", name, "--backbone", given.backbone, "--device", given.device]
    options += ["--batch", str(given.batch), "--seed", str(given.seed)]
    if given.transcripts:
        options += ["--transcripts", str(given.transcripts), "--tokenizer", given.tokenizer]
    call = [sys.executable, __file__, *options]
    return int(subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout)


def _total(found: Mapping[str, float]) -> float:
    return sum(value for key, value in found.items() if key != "padding")


def totals(found: Values) -> list[float]:
    """Return the seconds of each step."""
    parts = [values for key, values in found.items() if key != "padding"]
    return [sum(step) for step in zip(*parts, strict=True)]


def ratios(slow: Sequence[float], fast: Sequence[float]) -> list[float]:
    """Return how many times faster, for each round."""
    return [a / b for a, b in zip(slow, fast, strict=True)]


def table(measured: Mapping[str, Any]) -> str:
    """Format medians. Ratios are paired by round, with the range of the rounds in brackets."""
    steps, batch = measured["steps"], measured["batch"]
    seconds = {name: totals(found) for name, found in steps.items()}
    rows = [
        f"{measured['backbone']}, {measured['device']}, {batch} segments a step of "
        f"{measured['pieces']:.1f} word pieces on average ({measured['lengths']} lengths)",
        f"{'training step':<22}{'segments/s':>10}{'padding':>9}  times faster than the reference",
    ]
    for name, found in steps.items():
        speed, padding = batch / median(seconds[name]), median(found["padding"])
        faster = ""
        if REFERENCE in seconds:
            faster = _spread(ratios(seconds[REFERENCE], seconds[name]))
        rows.append(f"{name:<22}{speed:>10.1f}{padding:>9.0%}  {faster}")
    if {"text only", "CMS + CLR"} <= set(seconds):
        cost = ratios(seconds["CMS + CLR"], seconds["text only"])
        rows.append(f"CMS + CLR against text only: {_spread(cost)} times as long")
    for name in (each for each in (ALL, ALL_BF16) if each in steps):
        average = steps[name]["average"]
        shares = [a / (s - a) for a, s in zip(average, seconds[name], strict=True)]
        rows.append(f"EMA, {name}: {median(shares):.1%} of a step without it")
    for name, found in measured["evaluation"].items():
        faster = _spread(ratios(measured["evaluation"][REFERENCE], found))
        rows.append(f"evaluation, {name}: {faster} times faster than the reference")
    for name, size in measured["memory"].items():
        rows.append(f"peak memory, {name}: {size / 1e9:.2f} GB")
    for name, share in measured["gpu_share"].items():
        rows.append(f"GPU work, {name}: {share:.0%} of a step")
    return "\n".join(rows)


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def plot(measured: Mapping[str, Any], file: Path) -> None:
    """Plot each variant's speed relative to the reference, with the range of the rounds."""
    from matplotlib.figure import Figure

    steps = {name: totals(found) for name, found in measured["steps"].items()}
    faster = {name: ratios(steps[REFERENCE], seconds) for name, seconds in steps.items()}
    middle = [median(values) for values in faster.values()]
    low = [m - min(values) for m, values in zip(middle, faster.values(), strict=True)]
    high = [max(values) - m for m, values in zip(middle, faster.values(), strict=True)]
    figure = Figure(figsize=(7, 0.5 * len(faster) + 1), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(faster), middle, xerr=[low, high], capsize=3)
    axes.invert_yaxis()
    axes.set_xlabel(f"training step, times faster ({measured['backbone']}, {measured['device']})")
    figure.savefig(file)


if __name__ == "__main__":
    main()
