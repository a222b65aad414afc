"""Scores of finished runs by recipe: means, spreads, and comparisons with the first recipe."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.records import record
from mmf_cmsbert.report.measures import measure
from mmf_cmsbert.utils.statistics import (
    Comparison,
    Estimate,
    ScoreSummary,
    compare,
    holm,
    interquartile_mean,
    probability_of_improvement,
    summarise,
)


@dataclass(frozen=True)
class Run:
    """A finished job and its record."""

    job: Job
    record: Mapping[str, Any]

    @property
    def scores(self) -> Mapping[str, float]:
        """Metric -> value on the job's split, with the checkpoint that was best on validation."""
        return self.record[self.job.split] or {}


@dataclass(frozen=True)
class Results:
    """The finished runs of an experiment, in the order of the plan.

    Attributes:
        recipes: the names of all recipes, the reference first; some may have no run.
        runs: the finished runs.
        split: ``test``, or ``validation`` if test is not scored.
    """

    recipes: tuple[str, ...]
    runs: tuple[Run, ...]
    split: str = "test"

    @property
    def reference(self) -> str:
        return self.recipes[0]

    @property
    def scored(self) -> str:
        """A description of the scores."""
        if self.split == "test":
            return "Test at the best validation epoch"
        return "Validation at its best epoch, test not scored"

    @property
    def synthetic(self) -> bool:
        """Whether a run was made on a synthetic corpus."""
        return any(record.is_synthetic(run.record) for run in self.runs)

    def metrics(self) -> list[str]:
        """Return the names of the metrics, in the order of the records."""
        return list(dict.fromkeys(name for run in self.runs for name in run.scores))

    def of(self, recipe: str) -> list[Run]:
        return [run for run in self.runs if run.job.recipe == recipe]

    def summary(self, recipe: str, metric: str) -> ScoreSummary | None:
        """Summarise a metric over a recipe's runs; None if no run has it, or all have NaN."""
        values = [run.scores[metric] for run in self.of(recipe) if metric in run.scores]
        return None if all(map(math.isnan, values)) else summarise(values)

    def _comparable(self, recipe: str, metric: str) -> list[Run]:
        """Return the runs with the metric; none if one of them is not finite."""
        found = [run for run in self.of(recipe) if metric in run.scores]
        return found if all(math.isfinite(run.scores[metric]) for run in found) else []

    def by_base(self, recipe: str, metric: str) -> dict[str, list[float]]:
        """Return a metric of a recipe's runs, by base: the strata of its bootstrap.

        None of them if a value is not finite.
        """
        found: dict[str, list[float]] = {}
        for run in self._comparable(recipe, metric):
            found.setdefault(run.job.base, []).append(run.scores[metric])
        return found

    def interquartile_mean(self, recipe: str, metric: str) -> Estimate | None:
        """Return the mean of the middle half of a recipe's runs; None if no run has the metric."""
        strata = self.by_base(recipe, metric)
        return interquartile_mean(list(strata.values())) if strata else None

    def improvement(self, recipe: str, metric: str) -> Estimate | None:
        """Return the chance that a run of a recipe is better than one of the reference.

        None if no base has runs of both, or if the direction of the metric is unknown.
        """
        lower = measure(metric).lower
        ours, theirs = (self.by_base(name, metric) for name in (recipe, self.reference))
        pairs = [(values, theirs[base]) for base, values in ours.items() if base in theirs]
        if lower is None or not pairs or recipe == self.reference:
            return None
        return probability_of_improvement(pairs, lower)

    def comparison(self, recipe: str, metric: str) -> Comparison | None:
        """Compare a recipe with the reference, over the seeds (and bases) that both have.

        None if there are none, or if a value of the metric is not finite.
        """
        ours, theirs = (
            {run.job.replicate: run.scores[metric] for run in self._comparable(name, metric)}
            for name in (recipe, self.reference)
        )
        both = [replicate for replicate in ours if replicate in theirs]
        if recipe == self.reference or not both:
            return None
        return compare([ours[r] for r in both], [theirs[r] for r in both])

    def comparisons(self, metric: str) -> dict[str, tuple[Comparison, float | None]]:
        """Return each recipe's comparison with the reference, and its p corrected by Holm.

        The correction is for the number of recipes compared; None for a single pair.
        """
        compared = {name: self.comparison(name, metric) for name in self.recipes[1:]}
        found = {name: each for name, each in compared.items() if each is not None}
        corrected = holm({name: each.p for name, each in found.items() if each.p is not None})
        return {name: (each, corrected.get(name)) for name, each in found.items()}

    def criterion(self) -> str | None:
        """Return the metric that selected the checkpoints if measured, else the first one."""
        names = [run.record["criterion"]["name"] for run in self.runs]
        metrics = self.metrics()
        return next((name for name in names if name in metrics), metrics[0] if metrics else None)


def collect(jobs: Sequence[Job]) -> Results:
    """Collect the results of the jobs whose folder holds a finished record."""
    found = ((job, record.find(job.folder)) for job in jobs)
    return Results(
        tuple(dict.fromkeys(job.recipe for job in jobs)),
        tuple(Run(job, each) for job, each in found if each and each["status"] == "finished"),
        jobs[0].split,
    )


def what_changes(jobs: Sequence[Job]) -> Iterator[tuple[str, list[str]]]:
    """Yield each recipe but the first, with descriptions of its differences from the first."""
    reference = jobs[0]
    old = dict(record.flat(reference.config))
    for job in jobs[1:]:
        if job.replicate == reference.replicate:
            changed = record.changes(old, dict(record.flat(job.config))).items()
            yield job.recipe, [f"{_short(key)}: {was} -> {now}" for key, (was, now) in changed]


def _short(key: str) -> str:
    return key.removeprefix("model_config.").removeprefix("cmsbert.")
