"""The tables and the image of step.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from step_variants import ALL, ALL_BF16, REFERENCE

Values = dict[str, list[float]]


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
            faster = spread(ratios(seconds[REFERENCE], seconds[name]))
        rows.append(f"{name:<22}{speed:>10.1f}{padding:>9.0%}  {faster}")
    if {"text only", "CMS + CLR"} <= set(seconds):
        cost = ratios(seconds["CMS + CLR"], seconds["text only"])
        rows.append(f"CMS + CLR against text only: {spread(cost)} times as long")
    for name in (each for each in (ALL, ALL_BF16) if each in steps):
        average = steps[name]["average"]
        shares = [a / (s - a) for a, s in zip(average, seconds[name], strict=True)]
        rows.append(f"EMA, {name}: {median(shares):.1%} of a step without it")
    for name, found in measured["evaluation"].items():
        faster = spread(ratios(measured["evaluation"][REFERENCE], found))
        rows.append(f"evaluation, {name}: {faster} times faster than the reference")
    for name, size in measured["memory"].items():
        rows.append(f"peak memory, {name}: {size / 1e9:.2f} GB")
    for name, share in measured["gpu_share"].items():
        rows.append(f"GPU work, {name}: {share:.0%} of a step")
    return "\n".join(rows)


def spread(values: Sequence[float]) -> str:
    """Format the median, with the range in brackets."""
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
