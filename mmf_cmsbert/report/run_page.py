"""The page of one run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from mmf_cmsbert.config.schemas.targets import RegressionTarget
from mmf_cmsbert.records import record
from mmf_cmsbert.report import agreement, heat, measures, page, rows
from mmf_cmsbert.report.chart import Chart
from mmf_cmsbert.report.collected import Part
from mmf_cmsbert.report.collecting import RunReport, scored_split
from mmf_cmsbert.report.curves import curves
from mmf_cmsbert.report.errors import errors
from mmf_cmsbert.report.spaces import spaces

_SAME = 1e-3


def charts(run: RunReport) -> dict[str, list[Chart]]:
    """All charts of a run: ``curves``, and ``agreement``, ``errors`` and ``spaces`` by dataset."""
    found = {"curves": curves(run.entries, run.record)}
    for part in run.collected.parts:
        found[f"agreement {part.dataset}"] = agreement.agreement(part)
        found[f"errors {part.dataset}"] = errors(part)
        found[f"spaces {part.dataset}"] = spaces(part)
    return found


def render(run: RunReport, drawn: dict[str, list[Chart]]) -> str:
    """The page as HTML.

    Args:
        run: the run.
        drawn: its charts.
    """
    parts = run.collected.parts
    several = len(parts) > 1
    context = {
        "title": run.record["config"]["training"].get("experiment_name") or run.name,
        "badge": f"{_split_name(run)} split",
        "synthetic": run.synthetic,
        "header": header(run),
        "notices": notices(run),
        "scored": _scored(run),
        "scores": scores(run),
        "curves": drawn["curves"],
        "sections": _sections(parts),
    }

    def make(share: float, most: int) -> str:
        shown = [_part(run, part, drawn, several, share, most) for part in parts]
        return page.render("run", context | {"parts": shown})

    return page.fitted(make, max((len(part.segments) for part in parts), default=1))


def header(run: RunReport) -> list[tuple[str, str, str]]:
    """Name, value and kind of what the page's head says of a run."""
    found, config = run.record, run.record["config"]
    chosen = measures.criterion(found)
    best = found["best"]
    best_text = (
        f"{best['update']} of {found['updates']}: validation {chosen.name} "
        f"{measures.text(best['value'], 4)}"
        if best
        else f"no validation gave a finite value; the last weights, of update {found['updates']}"
    )
    facts = [
        ("Recipe", _recipe(found), ""),
        ("Data", _data(run), ""),
        ("Best update", best_text, ""),
        ("Seed", str(found["seed"]), ""),
        ("Started, time", _times(found), ""),
        ("Device", _device(found["machine"]), ""),
        ("Model", _model(config), ""),
        ("Code", _code(found), ""),
        ("Command", found["command"], "code"),
    ]
    return [(name, value, kind) for name, value, kind in facts if value]


def _recipe(found: Any) -> str:
    words = shlex.split(found["command"])
    named = [word.removeprefix("config=") for word in words if word.startswith("config=")]
    return named[-1] if named else ""


def _data(run: RunReport) -> str:
    texts = []
    for part in run.collected.parts:
        counts = [
            f"{part.counts[split]:,} {name}"
            for split, name in measures.SPLITS.items()
            if split in part.counts
        ]
        made = "synthetic corpus, " if part.synthetic else ""
        texts.append(f"{part.dataset}: {made}{', '.join(counts)} segments")
    config = run.record["config"]
    return "; ".join(texts) or str(config.get("datasets") or config.get("dataset") or "")


def _times(found: Any) -> str:
    began = datetime.fromisoformat(found["started"])
    text = f"{began:%Y-%m-%d %H:%M} UTC"
    if not found["ended"]:
        return text
    seconds = round((datetime.fromisoformat(found["ended"]) - began).total_seconds())
    hours, minutes, rest = seconds // 3600, seconds % 3600 // 60, seconds % 60
    parts = [(hours, "h"), (minutes, "min"), (rest if not hours else 0, "s")]
    return f"{text}, {' '.join(f'{n} {u}' for n, u in parts if n) or '0 s'}"


def _device(machine: Any) -> str:
    threads = machine["threads"]
    cpu = f"CPU ({machine['system']}, {threads} thread{'s' * (threads != 1)})"
    return machine["gpu"] or cpu


def _model(config: Any) -> str:
    name = config["model"]
    section = (config.get("model_config") or {}).get(name) or {}
    backbone = (section.get("backbone") or {}).get("name")
    return f"{name}, backbone {backbone}" if backbone else str(name)


def _code(found: Any) -> str:
    versions = found["versions"]
    named = [f"{n} {versions[n]}" for n in ("torch", "transformers", "mmf") if versions.get(n)]
    return f"commit {record.commit_name(found['commit'])}; {', '.join(named)}"


def notices(run: RunReport) -> list[str]:
    """What a reader has to know of this report."""
    found = [f"No segments are shown. {text}" for text in run.collected.missing]
    recorded = run.record["test" if scored_split(run.record) == "test" else "validation"] or {}
    for part in run.collected.parts:
        if part.skipped:
            found.append(
                f"{part.dataset}: {len(part.skipped)} segments could not be used: {part.skipped[0]}"
            )
        true, predicted = agreement.known(part)
        was = recorded.get(f"{part.dataset}/sentiment_mae")
        if was is None or not len(true) or not isinstance(part.target, RegressionTarget):
            continue
        now = float(np.abs(predicted - true).mean())
        if abs(now - was) > _SAME:
            found.append(
                f"{part.dataset}: the predictions shown here have a mean absolute error of "
                f"{now:.4f}, and the run recorded {was:.4f}: model or data have changed since."
            )
    return found


def _split_name(run: RunReport) -> str:
    return measures.SPLITS[scored_split(run.record)].capitalize()


def _scored(run: RunReport) -> str:
    if scored_split(run.record) == "test":
        return (
            "Of the checkpoint that was best on validation. Nothing is chosen on the test split. "
            "Arrows point to the better side."
        )
    return "Validation scores of the best checkpoint. This run does not score the test split."


def scores(run: RunReport) -> list[dict[str, Any]]:
    """A row for each metric, the criterion first."""
    test, validation = run.record["test"] or {}, run.record["validation"] or {}
    keys = list(dict.fromkeys([*test, *validation]))
    chosen = run.record["criterion"]["name"]
    keys.sort(key=lambda key: key != chosen)
    on_test = scored_split(run.record) == "test"
    return [
        {
            "measure": found,
            "first": found.key == chosen,
            "main": measures.text((test if on_test else validation).get(found.key)),
            "other": f"validation {measures.text(validation.get(found.key))}" if on_test else "",
            "test": measures.text(test.get(found.key), 4),
            "validation": measures.text(validation.get(found.key), 4),
        }
        for found in measures.measures(keys)
    ]


def _anchor(parts: Sequence[Part], part: Part) -> str:
    return f"-{part.dataset}" if len(parts) > 1 else ""


def _sections(parts: Sequence[Part]) -> list[tuple[str, str]]:
    found = [("scores", "Scores"), ("training", "Training")]
    for part in parts:
        anchor = _anchor(parts, part)
        suffix = f" ({part.dataset})" if anchor else ""
        names = ["Segments"]
        if part.embeddings:
            names.insert(0, "Modalities")
        if any(s.label is not None for s in part.segments):
            names[:0] = ["Predictions", "Errors"]
        found += [(f"{name.lower()}{anchor}", f"{name}{suffix}") for name in names]
    return found


def _part(
    run: RunReport,
    part: Part,
    drawn: dict[str, list[Chart]],
    several: bool,
    share: float,
    most: int,
) -> dict[str, Any]:
    budget = int(heat.BYTES * share)
    segments = part.segments if share == 1 else heat.with_some_heat(part.segments, budget)
    json, shown = rows.table(segments, [[s.score] for s in segments], most)
    anchor = _anchor(run.collected.parts, part)
    split = measures.SPLITS[part.split]
    known = sum(s.label is not None for s in part.segments)
    return {
        "anchor": anchor,
        "suffix": f", {part.dataset}" if several else "",
        "about": f"{known:,} segments of the {split} split of {part.dataset}.",
        "agreement": drawn[f"agreement {part.dataset}"],
        "errors": drawn[f"errors {part.dataset}"],
        "spaces": drawn[f"spaces {part.dataset}"],
        "spaces_about": _spaces_about(part),
        "alignments": _alignments(part),
        "segments_about": _segments_about(part, segments, shown),
        "table": {
            "part": anchor,
            "runs": [run.name],
            "json": json,
            "sentiment": part.is_sentiment,
        },
    }


def _spaces_about(part: Part) -> str:
    if part.embeddings is None:
        return ""
    count = len(part.embeddings.segments)
    which = "All" if count == len(part.segments) else f"{count} evenly chosen"
    return (
        "The contrastive loss pulls the modalities of a segment together in one space. "
        f"{which} segments are drawn."
    )


def _alignments(part: Part) -> list[dict[str, str]]:
    name = measures.modality_name
    return [
        {
            "pair": f"{name(found.one)} \N{RIGHTWARDS ARROW} {name(found.other)}",
            "same": measures.signed(found.same, 2),
            "different": measures.signed(found.different, 2),
            "found": f"{found.found:.1%}",
            "count": f"{found.count:,}",
            "chance": f"{1 / found.count:.1%}",
        }
        for found in (part.embeddings.alignments if part.embeddings else [])
    ]


def _segments_about(part: Part, segments: Sequence[Any], shown: int) -> str:
    text = "Select a segment to see how far the frames shifted its words, and which frames did."
    if shown < len(segments):
        text += (
            f" {shown:,} of {len(segments):,} segments, to keep the file small: those with the "
            "largest errors, and evenly chosen others."
        )
    with_heat, having = (
        sum(bool(s.heat) for s in segments),
        sum(bool(s.modalities) for s in segments),
    )
    if 0 < with_heat < having:
        text += (
            f" {with_heat:,} have heat maps: those with the largest errors, and evenly chosen "
            "others."
        )
    return text
