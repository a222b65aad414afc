"""Measure a step whose segments have many frames, all of them or only one.

python projects/cmsbert/benchmarks/long_frames.py --device cuda --frames 2000
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from statistics import median

import torch
from pace import peak_memory
from step_variants import ALL, PADDED, VARIANTS, WIDTHS, Workbench

_FEW = 20
WAYS = ("few", "one long", "all long")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--backbone", default="minilm", help="base, minilm, or a folder")
    parser.add_argument("--frames", type=int, default=2000, help="frames of a long segment")
    parser.add_argument("--batch", type=int, default=48, help="segments per step")
    parser.add_argument("--steps", type=int, default=4, help="steps; the first does not count")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.way:
        print(*measure(given))
        return
    for way in WAYS:
        # In a process of its own, whose memory is that of this way.
        call = [sys.executable, __file__, *(arguments or sys.argv[1:]), "--way", way]
        found = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True).stdout
        seconds, memory = map(float, found.split())
        long = {"few": 0, "one long": 1, "all long": given.batch}[way]
        print(
            f"{long} of {given.batch} segments with {given.frames} frames, the others with {_FEW}: "
            f"{seconds:.3f} s a step, peak memory {memory / 1e9:.2f} GB"
        )


def measure(given: argparse.Namespace) -> tuple[float, int]:
    """Return the median seconds of a step, and the peak memory of the process or the GPU."""
    bench = Workbench(given.backbone, given.device)
    batch = bench.batch([15] * (given.batch - 1) + [PADDED], False)
    few, many = _FEW, given.frames
    counts = {
        "few": [few] * given.batch,
        "one long": [few] * (given.batch - 1) + [many],
        "all long": [many] * given.batch,
    }[given.way]
    lengths = torch.tensor(counts, device=bench.device)
    mask = torch.arange(max(counts), device=bench.device) < lengths[:, None]
    for modality, widths in WIDTHS.items():
        shape = (*mask.shape, widths["mosi"])
        batch["frames"][modality] = torch.randn(shape, device=bench.device) * mask.unsqueeze(-1)
        batch["frame_masks"][modality] = mask
    seconds = []
    for _ in range(given.steps):
        found = bench.train(VARIANTS[ALL], batch)
        found.pop("padding")
        seconds.append(sum(found.values()))
    if bench.device.type == "cuda":
        return median(seconds[1:]), torch.cuda.max_memory_allocated(bench.device)
    return median(seconds[1:]), peak_memory()["memory"]


if __name__ == "__main__":
    main()
