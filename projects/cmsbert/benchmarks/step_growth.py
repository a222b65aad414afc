"""Measure how time and memory of a training step grow with the batch, word pieces and frames.
README.md beside this file explains the table.

    python projects/cmsbert/benchmarks/step_growth.py
    python projects/cmsbert/benchmarks/step_growth.py --backbone base --axes pieces frames
    python projects/cmsbert/benchmarks/step_growth.py --step 16 510 20
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

# Axis -> the steps to measure: segments, word pieces and frames of each segment, frames of the
# first segment (the same as the others' if None).
Size = tuple[int, int, int, int | None]
AXES: dict[str, list[Size]] = {
    "segments": [(12, 15, 20, None), (24, 15, 20, None), (48, 15, 20, None), (96, 15, 20, None)],
    "pieces": [(16, 64, 20, None), (16, 128, 20, None), (16, 255, 20, None), (16, 510, 20, None)],
    "frames": [
        (48, 15, 250, None),
        (48, 15, 500, None),
        (48, 15, 1000, None),
        (48, 15, 2000, None),
        (48, 15, 4000, None),
    ],
    "one long segment": [(48, 15, 20, first) for first in (20, 100, 500, 2000)],
}
_COLUMN = {"segments": 0, "pieces": 1, "frames": 2, "one long segment": 3}


def main(arguments: Sequence[str] | None = None) -> None:
    given = _arguments(arguments)
    if given.step:
        print(json.dumps(measure(given.backbone, tuple(given.step), given.repeats, given.clock)))
        return
    measured = {
        axis: [_in_process(given, size) for size in AXES[axis]] for axis in given.axes or AXES
    }
    given.out.write_text(json.dumps(measured, indent=1), encoding="utf-8")
    print(table(given.backbone, measured), f"\nall values: {given.out}", sep="\n")


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--backbone", default="minilm", help="base, minilm, or a folder")
    parser.add_argument("--axes", nargs="*", choices=AXES, help="all by default")
    parser.add_argument(
        "--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a busy machine"
    )
    parser.add_argument("--repeats", type=int, default=3, help="measured steps of each size")
    parser.add_argument(
        "--step",
        type=int,
        nargs="+",
        metavar="N",
        help="measure one step in this process: SEGMENTS PIECES FRAMES [FRAMES_OF_THE_FIRST]",
    )
    parser.add_argument("--out", type=Path, default=Path("step_growth_benchmark.json"))
    return parser.parse_args(arguments)


def _in_process(given: argparse.Namespace, size: Size) -> dict[str, Any]:
    """Return :func:`measure` of a fresh process, whose peak memory is that of this size."""
    numbers = [str(each) for each in size if each is not None]
    call = [sys.executable, __file__, "--backbone", given.backbone, "--step", *numbers]
    call += ["--repeats", str(given.repeats), "--clock", given.clock]
    ended = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(ended.stdout)
    print(f"{size}: {median(found['seconds']):.2f} s", file=sys.stderr, flush=True)
    return {"size": size, **found}


def measure(
    backbone: str, size: Sequence[int], repeats: int = 3, clock: str = "wall"
) -> dict[str, Any]:
    """Make training steps: dropout, losses, clipping, AdamW and averaged weights.

    Args:
        backbone: as for :class:`step_variants.Workbench`.
        size: segments, word pieces and frames of each, and frames of the first, if they differ.
        repeats: measured steps, after one that is not.
        clock: ``wall``, or ``cpu`` for the processor time of this process.

    Returns:
        ``seconds`` of each step, and ``peak``, the highest memory of this process in bytes.
    """
    from step_variants import ALL, VARIANTS, Workbench

    bench = Workbench(backbone, clock=clock)
    inputs = batch(bench.backbone.config.vocab_size, *size)
    seconds = []
    for _ in range(repeats + 1):
        found = bench.train(VARIANTS[ALL], inputs)
        seconds.append(sum(value for part, value in found.items() if part != "padding"))
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    return {"seconds": seconds[1:] or seconds, "peak": peak}


def batch(
    vocabulary: int, segments: int, pieces: int, frames: int, first: int | None = None
) -> dict[str, Any]:
    """Return random segments of equal length; the first one may have another number of frames."""
    import torch
    from step_variants import WIDTHS

    random = torch.Generator().manual_seed(1)
    counts = torch.full((segments, 1), frames)
    counts[0] = frames if first is None else first
    mask = torch.arange(int(counts.max())) < counts
    at = torch.arange(pieces).expand(segments, -1)
    return {
        "input_ids": torch.randint(vocabulary, (segments, pieces), generator=random),
        "input_mask": torch.ones(segments, pieces, dtype=torch.long),
        "word_index": torch.where((at > 0) & (at < pieces - 1), at - 1, -1),
        "frames": {
            m: torch.randn(*mask.shape, each["mosi"], generator=random) * mask.unsqueeze(-1)
            for m, each in WIDTHS.items()
        },
        "frame_masks": dict.fromkeys(WIDTHS, mask),
        "targets": torch.rand(segments, 1, generator=random) * 6 - 3,
    }


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the exponent of growth, the slope of a line through the logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def table(backbone: str, measured: Mapping[str, list[dict[str, Any]]]) -> str:
    """Format medians, growth since the size before as an exponent, and that of the largest two."""
    rows = [
        f"{backbone}, training step with dropout",
        f"{'axis':<18}{'segments':>9}{'pieces':>8}{'frames':>8}{'first':>7}{'time':>10}{'peak':>10}"
        f"{'exponent of time':>18}{'of memory':>11}",
    ]
    for axis, found in measured.items():
        column, before = _COLUMN[axis], None
        for each in found:
            size, time = each["size"], median(each["seconds"])
            of_time = of_memory = ""
            if before is not None:
                sizes = [before["size"][column], size[column]]
                of_time = f"{exponent(sizes, [median(before['seconds']), time]):.2f}"
                of_memory = f"{exponent(sizes, [before['peak'], each['peak']]):.2f}"
            numbers = "".join(
                f"{'-' if n is None else n:>{w}}" for n, w in zip(size, (9, 8, 8, 7), strict=True)
            )
            rows.append(
                f"{axis:<18}{numbers}{time:>8.2f} s{each['peak'] / 1e9:>7.2f} GB"
                f"{of_time:>18}{of_memory:>11}"
            )
            before = each
    return "\n".join(rows)


if __name__ == "__main__":
    main()
