"""``cmsbert data inspect``: show the report as tables, or write it as JSON."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from mmf_cmsbert.files import replace_text
from mmf_cmsbert.terminal import is_utf8

_WIDTH_OF_A_FILE = 120
_COLUMNS_SHOWN = 4


def write_json(report: Mapping[str, Any], file: str) -> None:
    """Write the report to a file, completely or not at all, or to stdout for ``-``."""
    escaped = file == "-" and not is_utf8()
    text = json.dumps(report, indent=1, ensure_ascii=escaped, allow_nan=False) + "\n"
    if file == "-":
        sys.stdout.write(text)
        return
    replace_text(Path(file).expanduser(), text)


def show(report: Mapping[str, Any]) -> None:
    """Print the report."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_FILE, markup=False, highlight=False, emoji=False)
    console.print(f"Layout: {', '.join(report['layouts'])}\n")
    splits = report["splits"]
    for table in (_segments(splits), *_labels(splits), _lengths(splits), _frames(splits)):
        console.print(table, "")
    if report["findings"]:
        console.print("What to check", style="bold")
        for finding in report["findings"]:
            console.print(f"- {finding}", soft_wrap=True)
    else:
        console.print("No findings.")


def _table(title: str, columns: Sequence[str], rows: Iterator[Sequence[Any]]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*map(str, row))
    return table


def _segments(splits: Mapping[str, Any]) -> Table:
    modalities = next(iter(splits.values()))["missing"]
    without = (f"no {modality}" for modality in modalities)
    columns = ("split", "segments", "videos", "unusable", "word-aligned", *without)
    rows = (
        (
            split,
            found["segments"],
            found["videos"],
            len(found["unreadable_segments"]) + len(found["duplicate_ids"]),
            found["segments"] - len(found["unaligned"]),
            *found["missing"].values(),
        )
        for split, found in splits.items()
    )
    return _table("Segments", columns, rows)


def _labels(splits: Mapping[str, Any]) -> Iterator[Table]:
    """Yield a table for the main target, and one for each further target."""
    yield _of_target("Labels", {split: found["labels"] for split, found in splits.items()})
    for name in next(iter(splits.values()))["targets"]:
        yield _of_target(name, {split: found["targets"][name] for split, found in splits.items()})


def _of_target(title: str, figures: Mapping[str, Mapping[str, Any]]) -> Table:
    first = next(iter(figures.values()))
    numbers = first["expected"].startswith("a number")
    columns = ("split", *first["classes"], *(["mean"] if numbers else []), "none", "outside")
    rows = (
        (
            split,
            *found["classes"].values(),
            *(["-" if found["mean"] is None else f"{found['mean']:.3f}"] if numbers else []),
            len(found["unlabelled"]),
            len(found["out_of_range"]),
        )
        for split, found in figures.items()
    )
    return _table(f"{title}, rounded" if numbers else title, columns, rows)


def _lengths(splits: Mapping[str, Any]) -> Table:
    columns = ("split", "of", "min", "median", "p95", "max", "the longest")
    rows = (
        (split, name, *lengths.values(), found["longest"][name]["segment"])
        for split, found in splits.items()
        for name, lengths in found["lengths"].items()
    )
    return _table("Words and frames of a segment", columns, rows)


def _frames(splits: Mapping[str, Any]) -> Table:
    columns = (
        "split",
        "of",
        "width",
        "frames",
        "all zero",
        "NaN",
        "inf",
        "zero columns",
        "constant",
        "identical",
    )
    rows = (
        (
            split,
            modality,
            frames["width"],
            frames["frames"],
            f"{frames['zero_frames'] / max(frames['frames'], 1):.1%}",
            frames["nan"],
            frames["inf"],
            _columns(frames["zero_columns"], frames["width"]),
            _columns(frames["constant_columns"], frames["width"]),
            " ".join("=".join(map(str, group)) for group in frames["equal_columns"]) or "-",
        )
        for split, found in splits.items()
        for modality, of_widths in found["frames"].items()
        for frames in of_widths
    )
    return _table("Frames", columns, rows)


def _columns(columns: Sequence[int], width: int) -> str:
    if not columns:
        return "-"
    shown = ", ".join(map(str, columns[:_COLUMNS_SHOWN]))
    more = ", ..." if len(columns) > _COLUMNS_SHOWN else ""
    return f"{len(columns) / width:.1%}: {shown}{more}"
