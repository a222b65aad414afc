"""Curves of a run's error against the level of damage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from mmf_cmsbert.datasets.segment import Segment, in_order
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.metrics.sentiment import corr
from mmf_cmsbert.report import collecting
from mmf_cmsbert.report.predicting import answered
from mmf_cmsbert.robustness.damage import DAMAGES, Columns, columns_of, damaged
from mmf_cmsbert.utils.statistics import Estimate, interval

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import SentimentPredictor

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
# The name of all modalities together.
ALL = "all"


@dataclass(frozen=True)
class Curve:
    """The errors of a run on a split with one kind of damage.

    Attributes:
        run: the run's folder.
        kind: a name of :data:`.damage.DAMAGES`.
        modality: the damaged one, or ``all``.
        levels: of the damage, ascending, the first 0.
        errors: at each level, the mean over the draws and its interval: the mean absolute error of
            a number, else the share of wrong answers.
        correlations: the same of Pearson's correlation; None for other targets than numbers.
    """

    run: str
    kind: str
    modality: str
    levels: Sequence[float]
    errors: Sequence[Estimate]
    correlations: Sequence[Estimate] | None

    @property
    def added(self) -> float:
        """Mean error over the levels (trapezoidal) less that without damage.

        MultiBench's relative robustness is this area under the curve of a score.
        """
        values = [each.value for each in self.errors]
        return float(np.trapezoid(values, self.levels)) / self.levels[-1] - values[0]


@dataclass(frozen=True)
class Split:
    """What a run is tested on.

    Attributes:
        dataset: its name.
        name: ``val`` or ``test``.
        segments: those with a label.
        content: a hash of the segments.
        synthetic: whether they are synthetic.
    """

    dataset: str
    name: str
    segments: Sequence[Segment]
    content: str
    synthetic: bool


def opened(run: Path, split: str) -> tuple[SentimentPredictor, Split]:
    """Return the model of a run and the split of its first dataset.

    Raises:
        UserError: the run has no model, or its data is missing.
    """
    recorded = collecting.finished(run)
    config = collecting.configuration(run, recorded)
    dataset, section = next(iter(collecting.sections(config).items()))
    predictor = collecting.model(run, dataset)
    stored = collecting.store(dataset, section, split)
    segments = [each for each in stored if each.label is not None or each.targets]
    manifest = stored.manifest
    return predictor, Split(dataset, split, segments, manifest.content, manifest.synthetic)


def measure(
    run: Path,
    predictor: SentimentPredictor,
    split: Split,
    kinds: Sequence[str] = tuple(DAMAGES),
    levels: Sequence[float] = LEVELS,
    draws: int = 3,
    progress: Callable[[], None] = lambda: None,
) -> list[Curve]:
    """Return a run's curves: each kind of damage to each modality, and to all together.

    Args:
        run: the run's folder.
        predictor: its model.
        split: what it is tested on.
        kinds: names of :data:`.damage.DAMAGES`.
        levels: of damage, ascending, from 0.
        draws: seeds 1 to this; the damage of each is scored.
        progress: called after each curve.

    Raises:
        DataError: no segment has frames that the model reads.
    """
    columns = columns_of(split.segments)
    read = [m for m in in_order(columns) if m in predictor.network.modalities]
    if not read:
        raise DataError(
            f"{run}: the model reads no frames of the {split.name} split of {split.dataset} (it "
            f"reads {', '.join(predictor.network.modalities) or 'text alone'}, and the "
            f"segments have {', '.join(columns) or 'none'}), so no damage can change its scores"
        )
    groups = {modality: [modality] for modality in read} | ({ALL: read} if len(read) > 1 else {})
    none = _scores(predictor, split.segments)
    found = []
    for kind in kinds:
        for name, modalities in groups.items():
            scores = [
                [none] * draws
                if level == 0
                else [
                    _scores(predictor, _damaged(split, kind, level, modalities, columns, seed))
                    for seed in range(1, 1 + (1 if kind == "shift" else draws))
                ]
                for level in levels
            ]
            errors = [_estimated([error for error, _ in each]) for each in scores]
            known = [[c for _, c in each if c is not None] for each in scores]
            correlations = [_estimated(each) for each in known] if all(known) else None
            found.append(Curve(str(run), kind, name, list(levels), errors, correlations))
            progress()
    return found


def _damaged(
    split: Split,
    kind: str,
    level: float,
    modalities: Sequence[str],
    columns: dict[str, Columns],
    seed: int,
) -> list[Segment]:
    return [damaged(each, kind, level, modalities, columns, seed) for each in split.segments]


def _scores(
    predictor: SentimentPredictor, segments: Sequence[Segment]
) -> tuple[float, float | None]:
    """The error of the main target, and the correlation of numbers."""
    rows = []
    for each in predictor.stream(iter(segments)):
        if isinstance(each, SegmentError):
            raise each
        row = answered(each)
        if row["label"] is not None:
            rows.append((row["score"], row["label"], "truth" in row))
    scores, labels = (torch.tensor([row[i] for row in rows], dtype=torch.float64) for i in (0, 1))
    error = (scores - labels).abs().mean().item()
    return error, None if rows[0][2] else corr(scores, labels)


def _estimated(values: Sequence[float]) -> Estimate:
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(mean, None, None)
    return Estimate(mean, *interval(values))
