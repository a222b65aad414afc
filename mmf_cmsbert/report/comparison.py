"""Runs on the same segments: their scores side by side, and paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmf_cmsbert.config.schemas.targets import RegressionTarget
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.report.collected import Part
from mmf_cmsbert.report.collecting import RunReport, scored_split
from mmf_cmsbert.utils.statistics import interval


@dataclass(frozen=True)
class Difference:
    """The absolute errors of a run minus those of the first run, segment by segment.

    Attributes:
        mean: their mean; negative where the run errs less.
        low, high: Student's t interval of the mean at 95%; None with fewer than two segments.
        better: share of the segments on which the run errs less.
        count: number of segments.
    """

    mean: float
    low: float | None
    high: float | None
    better: float
    count: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and self.low * self.high > 0


def names(runs: Sequence[RunReport]) -> list[str]:
    """A short name of each run: the end of its folder that tells it from the others."""
    paths = [run.folder.absolute().parts for run in runs]
    shared = 0
    while all(len(path) > shared + 1 for path in paths) and len({p[shared] for p in paths}) == 1:
        shared += 1
    return [str(Path(*path[shared:])) for path in paths]


def check(runs: Sequence[RunReport]) -> None:
    """Check that all runs scored the same segments, so that they can be compared.

    Raises:
        ConfigError: they did not, or a run's segments are not known.
    """
    first = runs[0]
    for run in runs:
        if not run.collected.parts:
            raise ConfigError(
                f"{run.folder}: its segments are not known ({' '.join(run.collected.missing)}), so "
                "it cannot be compared; report it alone"
            )
        for part in run.collected.parts:
            if not isinstance(part.target, RegressionTarget):
                raise ConfigError(
                    f"{run.folder}: the main target of {part.dataset}, {part.name}, is "
                    f"{part.target.expected()}, and paired differences are of numbers; report each "
                    "run alone"
                )
        if scored_split(run.record) != scored_split(first.record):
            raise ConfigError(
                f"{first.folder} scores {scored_split(first.record)} and {run.folder} "
                f"{scored_split(run.record)}; only runs that score the same split can be compared"
            )
        theirs, ours = _labels(first), _labels(run)
        if theirs != ours:
            shared = len(theirs.items() & ours.items())
            raise ConfigError(
                f"{first.folder} and {run.folder} were scored on different data: of "
                f"{len(theirs):,} and {len(ours):,} segments {shared:,} are the same. Paired "
                "differences need the same segments with the same labels; report each run alone"
            )


def _labels(run: RunReport) -> dict[tuple[str, str], float | None]:
    return {(part.dataset, s.id): s.label for part in run.collected.parts for s in part.segments}


def paired(runs: Sequence[RunReport], dataset: str) -> np.ndarray:
    """The scores of all runs for the first run's segments of a dataset, ``(segments, runs)``."""
    first = part_of(runs[0], dataset)
    columns = []
    for run in runs:
        scores = {s.id: s.score for s in part_of(run, dataset).segments}
        columns.append([scores[s.id] for s in first.segments])
    return np.array(columns, dtype=np.float64).T


def part_of(run: RunReport, dataset: str) -> Part:
    """A run's segments of a dataset."""
    return next(part for part in run.collected.parts if part.dataset == dataset)


def differences(labels: Sequence[float | None], scores: np.ndarray) -> list[Difference | None]:
    """Compare each run but the first with the first; None where no label is known.

    Args:
        labels: of each segment.
        scores: ``(segments, runs)``.
    """
    known = np.array([label is not None for label in labels])
    true = np.array([label for label in labels if label is not None], dtype=np.float64)
    errors = np.abs(scores[known] - true[:, None])
    found: list[Difference | None] = []
    for run in range(1, scores.shape[1]):
        if not len(true):
            found.append(None)
            continue
        apart = errors[:, run] - errors[:, 0]
        low, high = interval(apart) if len(apart) > 1 else (None, None)
        better = float((apart < 0).mean())
        found.append(Difference(float(apart.mean()), low, high, better, len(apart)))
    return found
