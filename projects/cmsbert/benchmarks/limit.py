"""Measure which share of the processor's arithmetic a training step reaches.
README.md beside this file explains the values.

    python projects/cmsbert/benchmarks/limit.py
    python projects/cmsbert/benchmarks/limit.py --backbone base --clock cpu
"""

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter, process_time
from typing import Any

import torch
from step_growth import batch
from step_variants import ALL, VARIANTS, Workbench
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

_CLOCKS: dict[str, Callable[[], float]] = {"wall": perf_counter, "cpu": process_time}
# Products of two matrices, or of two batches of matrices, and the position of the first one.
_PRODUCTS = {"aten.mm": 0, "aten.bmm": 0, "aten.addmm": 1, "aten.baddbmm": 1}
_LARGE = 2048

Shape = tuple[tuple[int, ...], tuple[int, ...]]


class Products(TorchDispatchMode):
    """Counts the shapes of matrix products within the context."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: Counter[Shape] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        first = _PRODUCTS.get(str(func.overloadpacket))
        if first is not None:
            a, b = args[first : first + 2]
            self.shapes[tuple(a.shape), tuple(b.shape)] += 1
        return func(*args, **(kwargs or {}))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--backbone", default="minilm", help="base, minilm, or a folder")
    parser.add_argument("--clock", choices=_CLOCKS, default="wall", help="cpu: for a busy machine")
    parser.add_argument("--repeats", type=int, default=5, help="measured steps")
    given = parser.parse_args(arguments)
    print(report(given.backbone, given.clock, given.repeats))


def report(backbone: str, clock: str, repeats: int) -> str:
    """Return operations per second of a step, of its products alone, and of a large product."""
    bench, variant = Workbench(backbone, clock=clock), VARIANTS[ALL]
    inputs = batch(bench.backbone.config.vocab_size, 48, 15, 13)
    with FlopCounterMode(display=False) as counter, Products() as products:
        bench.train(variant, inputs)
    operations = counter.get_total_flops()
    step = median(
        sum(value for part, value in bench.train(variant, inputs).items() if part != "padding")
        for _ in range(repeats)
    )
    now = _CLOCKS[clock]
    alone = sum(count * seconds(*shape, now) for shape, count in products.shapes.items())
    large = 2 * _LARGE**3 / seconds((_LARGE, _LARGE), (_LARGE, _LARGE), now)
    rows = [
        ("a step", operations / step, f"{step:.3f} s, {operations / 1e9:.1f} GFLOP"),
        ("its products alone", operations / alone, f"{alone / step:.0%} of the step's time"),
        (
            f"a product of {_LARGE} x {_LARGE}",
            large,
            f"a step reaches {operations / step / large:.0%}",
        ),
    ]
    head = f"{backbone}, fp32, {torch.get_num_threads()} threads, {clock} time"
    return "\n".join([head, *(f"  {n:<28}{v / 1e9:>7.1f} GFLOP/s   {w}" for n, v, w in rows)])


def seconds(a: tuple[int, ...], b: tuple[int, ...], now: Callable[[], float]) -> float:
    """Return the median time of a matrix product of these shapes."""
    first, second = torch.randn(a), torch.randn(b)
    times = []
    for _ in range(5):
        begun = now()
        first @ second
        times.append(now() - begun)
    return median(times)


if __name__ == "__main__":
    main()
