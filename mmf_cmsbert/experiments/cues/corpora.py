"""The corpora of the benchmark as stores, each with a recipe that trains on it."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from mmf_cmsbert.datasets.conversion import write_split
from mmf_cmsbert.datasets.segment import FACE_VOICE, SPLITS, Segment
from mmf_cmsbert.datasets.stores.manifest import read_manifest
from mmf_cmsbert.datasets.stores.store import replaced_folder
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.experiments.cues.bayes import Bound, bound
from mmf_cmsbert.experiments.cues.condition import Condition
from mmf_cmsbert.experiments.cues.frames import WIDTH, Planted, Planter, labelled
from mmf_cmsbert.experiments.cues.texts import Texts

# Increase this when the same texts and conditions give other corpora.
VERSION = 1
# The labels are sums of a label of the corpus and a normal cue; limits that none reaches.
_FARTHEST = 20
METRICS = [
    "sentiment_mae",
    "regression_mse",
    "sentiment_corr",
    {"type": "regression_response", "key": "cue_response", "params": {"of": "cue"}},
]


class Corpora:
    """Writes the corpora of one draw and placement.

    Args:
        texts: words and labels.
        placement: where the cue is.
        draw: the seed of cues and frames.
        folder: the folder for them.
    """

    def __init__(self, texts: Texts, placement: str, draw: int, folder: Path):
        self._texts, self._draw = texts, draw
        self._folder = folder / f"draw_{draw}" / placement
        planter = Planter(placement, draw)
        self._planted: dict[str, list[Planted]] = {
            split: [planter.plant(each.id, each.words) for each in segments]
            for split, segments in texts.splits.items()
        }

    @property
    def bound(self) -> Bound:
        """The best possible estimate of the cue on the test split."""
        planted = self._planted["test"]
        cues = np.array([each.cue for each in planted])
        return bound([each.posterior for each in planted], cues)

    def write(self, condition: Condition, base: Path) -> Path:
        """Write the stores of a condition if they are missing, and return its recipe.

        Args:
            condition: of this draw and placement.
            base: the recipe to include.
        """
        stores = {}
        for split in SPLITS:
            size = f"_{condition.size}" if split == "train" else ""
            permuted = "_permuted" * condition.permuted
            stores[split] = self._folder / f"{condition.strength:g}{permuted}" / f"{split}{size}"
            self._write(stores[split], split, condition)
        target = self._folder / f"{condition.name}.yaml"
        about = "Semi-synthetic: made frames with a planted cue. A corpus of cmsbert benchmark cues"
        return recipe.write(target, about, base, _content(stores))

    def _write(self, folder: Path, split: str, condition: Condition) -> None:
        settings: dict[str, Any] = {
            "benchmark": "cues",
            "version": VERSION,
            "split": split,
            "placement": condition.placement,
            "strength": condition.strength,
            "draw": condition.draw,
            "permuted": condition.permuted,
            "segments": condition.size if split == "train" else None,
        }
        with suppress(DataError):  # missing or damaged
            found = read_manifest(folder)
            if found.settings == settings and found.sources == self._texts.sources:
                return
        folder.parent.mkdir(parents=True, exist_ok=True)
        with replaced_folder(folder) as unfinished:
            write_split(
                unfinished,
                split,
                self._segments(split, condition),
                sources=self._texts.sources,
                settings=settings,
                synthetic=True,
            )

    def _segments(self, split: str, condition: Condition) -> list[Segment]:
        segments, planted = self._texts.splits[split], self._planted[split]
        chosen = list(range(len(segments)))
        if split == "train":  # smaller sets are parts of larger ones
            order = np.random.default_rng([self._draw, 3]).permutation(len(segments))
            chosen = sorted(order[: condition.size].tolist())
        found = []
        for i in chosen:
            label = segments[i].label
            assert label is not None
            found.append(labelled(segments[i], planted[i], label, condition.strength))
        if not condition.permuted:
            return found
        order = np.random.default_rng([self._draw, 4, SPLITS.index(split)]).permutation(len(found))
        labels = [found[i].label for i in order]
        return [
            Segment(s.id, s.video, s.words, s.frames, label, s.start, s.end, targets=s.targets)
            for s, label in zip(found, labels, strict=True)
        ]


def _content(stores: dict[str, Path]) -> dict[str, Any]:
    """The recipe: what the base says of data, targets and scores is replaced."""
    number = {"kind": "regression", "low": -_FARTHEST, "high": _FARTHEST}
    return {
        "dataset": "mosi",
        "model_config": {
            "cmsbert": {
                # The cue is a label for scores only; no loss teaches it.
                "losses": [
                    {"type": "target_loss", "params": {"target": "sentiment", "kind": "l1"}},
                    {
                        "type": "multimodal_contrastive",
                        "params": {"weight": 0.1, "label_smoothing": 0.1},
                    },
                ]
            }
        },
        "dataset_config": {
            "mosi": {
                "source": None,
                "split": None,
                "synthetic": None,
                "annotations": {split: [str(path.resolve())] for split, path in stores.items()},
                "features": dict.fromkeys(FACE_VOICE, WIDTH),
                "normalise": "none",
                "targets": {"sentiment": number, "cue": number},
            }
        },
        "evaluation": {"metrics": METRICS},
        "training": {"report": False, "early_stop": {"criteria": "mosi/sentiment_mae"}},
        "checkpoint": {"export": False},
    }
