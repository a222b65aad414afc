"""Measure how far finished runs shift words: sizes of shifts and gates over a split.

python projects/cmsbert/claims/shift_sizes.py save/ablations/runs/cms/fold_1/seed_1 ... --out FILE
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.files import replace_text
from mmf_cmsbert.report import collecting

_BATCH = 32


def sizes(run: Path, split: str) -> dict[str, Any]:
    """Return the mean size of shifts, and of each modality's part and gate, over all words.

    Raises:
        UserError: the run has no model, or its data is missing.
    """
    config = collecting.configuration(run, collecting.finished(run))
    dataset, section = next(iter(collecting.sections(config).items()))
    predictor = collecting.model(run, dataset)
    segments = list(collecting.store(dataset, section, split))
    predictions: Any = predictor(segments, batch_size=_BATCH, explain=True)
    words = [w for each in predictions for w in each.explanation.words if w.shift is not None]
    modalities = list(words[0].shifts) if words else []
    return {
        "run": str(run),
        "split": split,
        "words": len(words),
        "shift": float(np.mean([word.shift for word in words])) if words else 0.0,
        "shifts": {m: float(np.mean([word.shifts[m] for word in words])) for m in modalities},
        "gates": {
            m: float(np.mean([word.gates[m] for word in words if m in word.gates]))
            for m in modalities
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", help="env.save_dir of finished runs")
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    given = parser.parse_args()
    found = [sizes(run, given.split) for run in given.runs]
    replace_text(given.out, json.dumps({"format": 1, "shift_sizes": found}, indent=1) + "\n")
    for each in found:
        print(each["run"], f"{each['shift']:.3f}", each["shifts"], each["gates"])


if __name__ == "__main__":
    main()
