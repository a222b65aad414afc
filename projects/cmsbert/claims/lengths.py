"""Measure how much of the alignment of finished runs is the length of the segments.

python projects/cmsbert/claims/lengths.py save/ablations/runs/cms_clr/fold_1/seed_1 ... --out FILE

In word-aligned data a segment has as many frames as words, so words, face and voice share a trait
that is no content. Three figures tell how far it carries: the recall of a ranking by the
difference of the numbers of words alone; the chance that a segment's own face or voice is more
similar to its words than another segment's; and the same chance among segments of equal length.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

import torch

from mmf_cmsbert.files import replace_text
from mmf_cmsbert.metrics.alignment import preference, recall_at
from mmf_cmsbert.robustness.curves import opened

_TEXT = "text"
# Candidates differ by at most so many words from the query; None: all of them.
BY = {"all": None, "near": 2, "equal": 0}


def figures(run: Path, split: str) -> dict[str, Any]:
    """Return the figures of a run.

    Raises:
        UserError: the run has no model, or its data is missing.
    """
    predictor, part = opened(run, split)
    segments = list(part.segments)
    with torch.inference_mode():
        output = predictor.network(**predictor._batch(segments), dataset=part.dataset)
    words = torch.tensor([len(segment.words) for segment in segments])
    pairs = [
        (output.embeddings[_TEXT], output.embeddings[m]) for m in output.embeddings if m != _TEXT
    ]
    return {"run": str(run), "split": split, "segments": len(segments)} | compared(pairs, words)


def compared(pairs: list[tuple[torch.Tensor, torch.Tensor]], words: torch.Tensor) -> dict[str, Any]:
    """Return the figures of embeddings, means over the pairs of modalities.

    Args:
        pairs: embeddings of the words and of another modality, ``(segments, dim)``.
        words: their numbers, ``(segments,)``.
    """
    apart = (words[:, None] - words).abs()
    found: dict[str, Any] = {}
    for name, most in BY.items():
        candidates = None if most is None else apart <= most
        values = [preference(a, b, candidates) for a, b in pairs]
        found[name] = sum(values) / len(values)
    # On a circle, the similarity of two lengths falls with their difference.
    angles = words.double() * (math.pi / 2 / int(words.max()))
    circle = torch.stack([angles.cos(), angles.sin()], dim=1)
    return found | {"recall_10_of_lengths": recall_at(circle, circle, 10)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", help="env.save_dir of finished runs")
    parser.add_argument("--split", choices=("val", "test"), default="test")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    given = parser.parse_args()
    found = [figures(run, given.split) for run in given.runs]
    replace_text(given.out, json.dumps({"format": 1, "lengths": found}, indent=1) + "\n")
    for each in found:
        print(each["run"], {name: round(each[name], 3) for name in (*BY, "recall_10_of_lengths")})


if __name__ == "__main__":
    main()
