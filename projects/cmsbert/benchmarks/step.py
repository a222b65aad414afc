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
from typing import Any

import numpy as np
import peer
import torch
from data import _machine as machine
from peer_table import peer_table
from step_table import Values, plot, table
from step_variants import ALL, ALL_BF16, MORE, PADDED, REFERENCE, VARIANTS, Variant, Workbench
from worker import WorkerError

EVERY = VARIANTS | MORE


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    if given.memory_of:
        print(peak_memory(given))
        return
    measured = measure_peer(given) if given.peer else measure(given)
    given.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    text = peer_table(measured) if given.peer else table(measured)
    print(text, f"\nall values: {given.out}", sep="\n")
    if given.plot:
        plot(measured, given.plot)


def measure_peer(given: argparse.Namespace) -> dict[str, Any]:
    """Return the values of a comparison with MAG-BERT's published code, or exit."""
    try:
        return peer.measure(given)
    except (peer.PeerError, WorkerError) as error:
        print(
            f"step.py: error: {error}\nNo ratio was measured. README.md beside this file says how "
            "to make the environment of MAG-BERT's code.",
            file=sys.stderr,
        )
        sys.exit(2)


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
    parser.add_argument(
        "--variants", nargs="*", choices=EVERY, help="all that need no compiler by default"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a busy machine"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("step_benchmark.json"))
    parser.add_argument("--plot", type=Path, help="an image of the table (needs matplotlib)")
    parser.add_argument(
        "--peer", type=Path, help="a checkout of MAG-BERT's published code, to compare with"
    )
    parser.add_argument(
        "--peer-python", type=Path, default=sys.executable, help="the interpreter that can run it"
    )
    parser.add_argument("--data", type=Path, help="with --peer: MAG-BERT's pickle, for both sides")
    parser.add_argument(
        "--runs", nargs="*", choices=peer.RUNS, help="with --peer: the runs to measure (all)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=2,
        help="with --peer: threads of each side; 0: each side chooses",
    )
    parser.add_argument("--memory-of", choices=EVERY, help=argparse.SUPPRESS)
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
    chosen = {name: EVERY[name] for name in given.variants or VARIANTS}
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
    bench, variant = Workbench(given.backbone, given.device), EVERY[given.memory_of]
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


if __name__ == "__main__":
    main()
