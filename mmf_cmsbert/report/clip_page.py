"""The page of predicted clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmf_cmsbert.files import replace_text
from mmf_cmsbert.report import clips, page, timeline_svg

# Rows of a quarter of a minute, over all clips, so that a browser stays fast.
_MOST = 400


def write(predictions: Path, output: Path | None = None) -> Path:
    """Write the page of the clips of a file of predictions; returns its file.

    Args:
        predictions: what ``cmsbert predict --media`` wrote.
        output: the page; by default beside the predictions.

    Raises:
        UserError: the predictions are not of clips.
    """
    found = clips.read(clips.file_of(predictions))
    output = output or predictions.with_suffix(".html")
    replace_text(output, render(found, predictions.name))
    return output


def render(found: clips.Timelines, name: str) -> str:
    """Return the page as HTML."""
    shown: list[dict[str, Any]] = []
    left = _MOST
    for clip in found.clips:
        rows = [
            row
            for _, row in zip(
                range(left), timeline_svg.rows(clip, found.low, found.high), strict=False
            )
        ]
        if not rows:
            break
        left -= len(rows)
        shown.append(_clip(clip) | {"rows": rows})
    return page.render(
        "clips",
        {
            "title": name,
            "model": found.model,
            "synthetic": found.synthetic,
            "low": f"{found.low:+g}".replace("-", "\N{MINUS SIGN}"),
            "high": f"{found.high:+g}",
            "sections": [(each["anchor"], each["name"]) for each in shown],
            "clips": shown,
            "left_out": len(found.clips) - len(shown),
        },
    )


def _clip(clip: clips.ClipTimeline) -> dict[str, Any]:
    faces = sum(clip.face_present)
    count = len(clip.segments)
    parts = [f"{clip.seconds:.1f} s", f"{count} segment{'s' * (count != 1)}"]
    if clip.face_times:
        parts.append(f"a face in {faces} of {len(clip.face_times)} pictures")
    scored = [(s.score, s.end - s.start) for s in clip.segments if s.score is not None]
    if length := sum(each for _, each in scored):
        mean = sum(score * each for score, each in scored) / length
        parts.append(f"mean score {mean:+.1f}".replace("-", "\N{MINUS SIGN}"))
    return {"name": clip.name, "anchor": f"clip-{clip.name}", "about": ", ".join(parts) + "."}
