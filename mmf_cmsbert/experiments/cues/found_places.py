"""Does a model look where the cue is? Weights of frames against the planted places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mmf_cmsbert.datasets.segment import FACE_VOICE, Segment
from mmf_cmsbert.datasets.stores.manifest import read_manifest
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.experiments.cues.corpora import VERSION
from mmf_cmsbert.experiments.cues.frames import Planter
from mmf_cmsbert.report import collecting
from mmf_cmsbert.utils.statistics import Estimate, interval

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import Prediction, SentimentPredictor

# How frames are weighted: by shift and attention, by attention alone, by gradients of the score.
KINDS = ("shift", "attention", "gradient")
_BATCH = 32


@dataclass(frozen=True)
class Found:
    """How well the weights of a modality's frames point at the planted ones.

    Attributes:
        kind: one of :data:`KINDS`.
        modality: ``visual`` or ``acoustic``.
        segments: number of segments with planted and other frames.
        auc: chance that a planted frame weighs more than another one, mean over the segments; 0.5
            by chance.
        mass: share of the weight that the planted frames have, mean over the segments.
        chance: their share of the frames.
    """

    kind: str
    modality: str
    segments: int
    auc: Estimate
    mass: Estimate
    chance: float


def measure(run: Path, split: str = "test") -> list[Found]:
    """Weigh the frames of a run of the planted-cue benchmark.

    Args:
        run: its folder, with a checkpoint (``--keep-weights``).
        split: ``val`` or ``test``.

    Raises:
        ConfigError: it is another run, or its cues are in all frames.
        UserError: it has no model, or its data is missing.
    """
    config = collecting.configuration(run, collecting.finished(run))
    dataset, section = next(iter(collecting.sections(config).items()))
    made_with: Mapping[str, Any] = {}
    with suppress(DataError, LookupError, TypeError):  # not a store
        made_with = read_manifest(Path(section["annotations"][split][0])).settings
    if made_with.get("benchmark") != "cues":
        raise ConfigError(
            f"{run}: its data has no planted cues; expected a run of cmsbert benchmark cues"
        )
    if made_with["placement"] == "spread":
        raise ConfigError(
            f"{run}: its cues are spread over all frames, so there are no places to find; name a "
            "run of another placement"
        )
    if made_with["version"] != VERSION:
        raise ConfigError(
            f"{run}: its cues were planted by another version of this package, in other places; "
            "run cmsbert benchmark cues again"
        )
    planter = Planter(made_with["placement"], made_with["draw"])
    predictor = collecting.model(run, dataset)
    segments = list(collecting.store(dataset, section, split))
    most, longest = section.get("max_frames"), max(len(each.words) for each in segments)
    if most is not None and longest > most:
        raise ConfigError(
            f"{run}: it was trained with dataset_config.{dataset}.max_frames={most}, so frames of "
            f"segments of up to {longest} words were averaged, and none is at its place; train "
            f"with {longest} or more"
        )
    weights = weigh(predictor, segments)
    places = [planter.plant(each.id, each.words).places for each in segments]
    found = []
    for kind in KINDS:
        for modality in FACE_VOICE:
            own = [each[kind].get(modality) for each in weights]
            true = [each[modality] > 0 for each in places]
            if result := compared(kind, modality, own, true):
                found.append(result)
    return found


def compared(
    kind: str,
    modality: str,
    weights: Sequence[np.ndarray | None],
    places: Sequence[np.ndarray],
) -> Found | None:
    """Compare weights with places.

    Args:
        kind: one of :data:`KINDS`.
        modality: of the frames.
        weights: of each segment, ``(frames,)``; None if there are none. A frame counts also if its
            word was cut off: the shift by the whole utterance reads it.
        places: of each segment, whether a frame is planted, bool ``(frames,)``.

    Returns:
        The result; None if no segment has weights above zero, planted and other frames.
    """
    from sklearn.metrics import roc_auc_score

    aucs, masses, shares = [], [], []
    for weight, place in zip(weights, places, strict=True):
        if weight is None or not weight.sum() > 0:
            continue
        if 0 < place.sum() < len(place):
            aucs.append(float(roc_auc_score(place, weight)))
            masses.append(float(weight[place].sum() / weight.sum()))
            shares.append(float(place.mean()))
    if len(aucs) < 2:
        return None
    auc, mass = (Estimate(float(np.mean(each)), *interval(each)) for each in (aucs, masses))
    return Found(kind, modality, len(aucs), auc, mass, float(np.mean(shares)))


def weigh(
    predictor: SentimentPredictor, segments: Sequence[Segment]
) -> list[dict[str, dict[str, np.ndarray]]]:
    """Return, for each segment, kind -> modality -> weights of its frames ``(frames,)``.

    Attention is the mean over the words. With ``shift`` each word counts by the size of its shift
    by that modality: a word that is not shifted reads its frames in vain. The gradient is the norm
    of the gradient of the score of the main target by each frame.
    """
    explained: Any = predictor(segments, batch_size=_BATCH, explain=True)
    gradients = _gradients(predictor, segments)
    return [
        {
            "shift": _attended(prediction, by_shift=True),
            "attention": _attended(prediction, by_shift=False),
            "gradient": gradient,
        }
        for prediction, gradient in zip(explained, gradients, strict=True)
    ]


def _attended(prediction: Prediction, by_shift: bool) -> dict[str, np.ndarray]:
    assert prediction.explanation is not None
    totals: dict[str, np.ndarray] = {}
    for word in prediction.explanation.words:
        for modality, attention in word.attention.items():
            size = word.shifts[modality] if by_shift else 1.0
            totals[modality] = totals.get(modality, 0.0) + size * attention
    return totals


def _gradients(
    predictor: SentimentPredictor, segments: Sequence[Segment]
) -> list[dict[str, np.ndarray]]:
    found: list[dict[str, np.ndarray]] = []
    for first in range(0, len(segments), _BATCH):
        part = list(segments[first : first + _BATCH])
        batch = predictor._batch(part)
        frames = {m: each.clone().requires_grad_() for m, each in batch["frames"].items()}
        with torch.enable_grad():
            output = predictor.network(**batch | {"frames": frames}, dataset=predictor.dataset)
            total = output.logits.sum()  # a segment's score depends on its own frames alone
            given = torch.autograd.grad(total, list(frames.values()), allow_unused=True)
        for row, segment in enumerate(part):
            found.append(
                {
                    m: each[row, : len(segment.frames[m])].norm(dim=-1).cpu().numpy()
                    for m, each in zip(frames, given, strict=True)
                    if each is not None and m in segment.frames
                }
            )
    return found
