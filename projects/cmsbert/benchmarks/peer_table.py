"""The table of step.py --peer."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from peer import PEER
from step_table import ratios, spread
from step_variants import REFERENCE


def peer_table(measured: Mapping[str, Any]) -> str:
    """Format both ratios of every run: medians, with the range of the rounds in brackets."""
    versions, found = measured["versions"], measured["machine"]
    load = " to ".join(f"{each:.1f}" for each in measured["load"].values())
    threads = f"{versions['threads']} threads"
    if (own := versions.get("threads_of_mmf_run", versions["threads"])) != versions["threads"]:
        threads += f", mmf_run {own}"
    rows = [
        f"{measured['backbone']}, {measured['device']}, batches of {measured['batch']} segments"
        + ("; processor time" if measured["clock"] == "cpu" else ""),
        f"{found['processor']}, {found['cores']} cores, {threads}, load {load}",
        f"MAG-BERT's published code ({versions['commit']}): transformers "
        f"{versions['transformers']}, torch {versions['torch']}, Python {versions['python']}",
    ]
    for name, run in measured["runs"].items():
        rows += ["", f"{name:<24}{'segments/s':>10}  times faster than MAG-BERT's code"]
        for what, seconds in run["passes"].items():
            rows += _speeds(seconds, name, what)
        first, memory = run["first_update"], run["memory"]
        rows.append(f"  first update after {first[name]:.1f} s, theirs {first[PEER]:.1f} s")
        sizes = [memory[way] / 1e9 for way in (name, PEER)]
        rows.append("  peak memory of the whole run {:.2f} GB, theirs {:.2f} GB".format(*sizes))
    return "\n".join(rows)


def _speeds(seconds: Mapping[str, list[float]], name: str, what: str) -> list[str]:
    rows = []
    for way, each in seconds.items():
        label = what if way == what else f"{what}, {'mmf_run' if way == name else way}"
        row = f"  {label:<30}{1 / median(each):>8.1f}"
        if way != PEER:
            row += f"  {spread(ratios(seconds[PEER], each))}"
        rows.append(row)
    if REFERENCE in seconds:
        faster = spread(ratios(seconds[REFERENCE], seconds[name]))
        rows.append(f"  mmf_run against the padded reference: {faster}")
    return rows
