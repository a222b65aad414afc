"""Scores of the benchmark: responses to the cue, between text alone and the bound."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mmf_cmsbert.experiments.cues.benchmark import RECIPES, TEXT, Benchmark, condition_of
from mmf_cmsbert.experiments.cues.condition import Condition
from mmf_cmsbert.experiments.results import Results
from mmf_cmsbert.utils.statistics import Comparison, Estimate, compare, holm, interval

# Recipe and what it is compared with.
PAIRS = (("mag", TEXT), ("cms", TEXT), ("cms", "mag"), ("cms_clr", "mag"), ("cms_clr", "cms"))
RESPONSE, MSE, MAE = "mosi/cue_response", "mosi/regression_mse", "mosi/sentiment_mae"


@dataclass(frozen=True)
class Point:
    """A recipe's runs in one condition, over the draws.

    Attributes:
        recipe: the recipe.
        condition: of the first draw.
        runs: number of runs.
        response: slope of the test predictions on the cue: 0 without frames.
        bound: the response of the best possible estimate, mean over the draws.
        mae, mse: mean errors on test.
        mse_text: the squared error of text alone at strength zero, plus that of a cue that is not
            found.
        mse_bound: the same, plus that of the best estimate of the cue. No strict bounds: words may
            tell more of the label than text alone has learned, so a recipe can be below.
    """

    recipe: str
    condition: Condition
    runs: int
    response: Estimate
    bound: float
    mae: float
    mse: float
    mse_text: float | None
    mse_bound: float | None


@dataclass(frozen=True)
class Control:
    """A response that is 0 if the benchmark is sound.

    Attributes:
        name: what should have no effect.
        recipe: the recipe.
        response: mean over the draws, each the mean over placements and sizes.
        p: of a two-sided t test over the draws, corrected by Holm; None for one draw.
    """

    name: str
    recipe: str
    response: Estimate
    p: float | None


class Scores:
    """The finished runs of a benchmark.

    Args:
        benchmark: its plan.
        results: its finished runs.
    """

    def __init__(self, benchmark: Benchmark, results: Results):
        self.benchmark = benchmark
        self.runs = {
            (run.job.recipe, condition_of(run.job)): run.scores
            for run in results.runs
            if RESPONSE in run.scores
        }

    def score(self, recipe: str, condition: Condition, metric: str) -> float | None:
        """Return a run's test score; None if it has not finished."""
        if recipe == TEXT:  # the same in all placements
            condition = _with(condition, placement=self.benchmark.placements[0])
        return self.runs.get((recipe, condition), {}).get(metric)

    def _over_draws(self, recipe: str, condition: Condition, metric: str) -> list[float]:
        draws = range(1, self.benchmark.draws + 1)
        found = (self.score(recipe, _with(condition, draw=draw), metric) for draw in draws)
        return [value for value in found if value is not None]

    @cached_property
    def points(self) -> list[Point]:
        """The dose-response curves: placement by placement, size, recipe, strength."""
        plan = self.benchmark
        found = []
        for placement in plan.placements:
            for size in plan.sizes:
                for recipe in RECIPES:
                    for strength in plan.strengths:
                        condition = Condition(placement, strength, size, 1)
                        point = self._point(recipe, condition)
                        found += [] if point is None else [point]
        return found

    def _point(self, recipe: str, condition: Condition) -> Point | None:
        responses, mae, mse = (
            self._over_draws(recipe, condition, metric) for metric in (RESPONSE, MAE, MSE)
        )
        if not responses:
            return None
        placement, strength = condition.placement, condition.strength
        bounds = [b for (name, _), b in self.benchmark.bounds.items() if name == placement]
        text = self._over_draws(TEXT, _with(condition, strength=0.0), MSE)
        least = float(np.mean(text)) if text else None
        left = float(np.mean([each.variance for each in bounds]))
        return Point(
            recipe,
            condition,
            len(responses),
            estimated(responses),
            strength * float(np.mean([each.response for each in bounds])),
            float(np.mean(mae)),
            float(np.mean(mse)),
            None if least is None else least + strength**2,
            None if least is None else least + strength**2 * left,
        )

    def shares(self, recipe: str, placement: str, size: int) -> dict[int, float]:
        """Return draw -> the share of the cue that a recipe finds: 0 for text, 1 for the bound.

        It is the sum of the responses over the strengths above zero, divided by that of the
        bounds. Draws with a missing run are left out.
        """
        strengths = [strength for strength in self.benchmark.strengths if strength > 0]
        found = {}
        for draw in range(1, self.benchmark.draws + 1):
            conditions = [Condition(placement, strength, size, draw) for strength in strengths]
            values = [self.score(recipe, condition, RESPONSE) for condition in conditions]
            known = [value for value in values if value is not None]
            if known and len(known) == len(values):
                most = sum(strengths) * self.benchmark.bounds[placement, draw].response
                found[draw] = sum(known) / most
        return found

    @cached_property
    def comparisons(self) -> dict[tuple[str, str, str, int], tuple[Comparison, float | None]]:
        """Recipe, other, placement, size -> paired difference of shares, and p by Holm."""
        found = {}
        for placement in self.benchmark.placements:
            for size in self.benchmark.sizes:
                for recipe, other in PAIRS:
                    ours, theirs = (self.shares(r, placement, size) for r in (recipe, other))
                    if both := [draw for draw in ours if draw in theirs]:
                        pair = compare([ours[d] for d in both], [theirs[d] for d in both])
                        found[recipe, other, placement, size] = pair
        corrected = holm({key: each.p for key, each in found.items() if each.p is not None})
        return {key: (each, corrected.get(key)) for key, each in found.items()}

    @cached_property
    def controls(self) -> list[Control]:
        """What should show no effect: strength zero, permuted labels, and text alone."""
        found = {}
        for recipe in RECIPES:
            for name, values in self._controls(recipe):
                if values:
                    found[name, recipe] = values
        corrected = holm({key: _p(each) for key, each in found.items() if len(each) > 1})
        return [
            Control(name, recipe, estimated(values), corrected.get((name, recipe)))
            for (name, recipe), values in found.items()
        ]

    def _controls(self, recipe: str) -> Iterator[tuple[str, list[float]]]:
        plan = self.benchmark
        places = [(placement, size) for placement in plan.placements for size in plan.sizes]
        if 0 in plan.strengths:
            zero = [Condition(placement, 0.0, size, 1) for placement, size in places]
            yield "strength zero", self._means(recipe, zero)
        most = max(plan.strengths), max(plan.sizes)
        permuted = [Condition(p, *most, 1, permuted=True) for p in plan.placements]
        yield "labels permuted", self._means(recipe, permuted)
        if recipe == TEXT:
            strong = [s for s in plan.strengths if s > 0]
            every = [
                Condition(plan.placements[0], s, size, 1) for s in strong for size in plan.sizes
            ]
            yield "no frames", self._means(recipe, every)

    def _means(self, recipe: str, conditions: Sequence[Condition]) -> list[float]:
        """Return the mean response of each draw that has all conditions."""
        found = []
        for draw in range(1, self.benchmark.draws + 1):
            values = [self.score(recipe, _with(each, draw=draw), RESPONSE) for each in conditions]
            known = [value for value in values if value is not None]
            if known and len(known) == len(values):
                found.append(float(np.mean(known)))
        return found


def estimated(values: Sequence[float]) -> Estimate:
    """Return the mean of values with Student's t interval, which one value does not have."""
    ends = interval(values) if len(values) > 1 else (None, None)
    return Estimate(float(np.mean(values)), *ends)


def _p(values: Sequence[float]) -> float:
    from scipy import stats

    p = float(stats.ttest_1samp(values, 0).pvalue)
    return 1.0 if np.isnan(p) else p  # all values are 0


def _with(condition: Condition, **changes: str | float | int) -> Condition:
    return replace(condition, **changes)  # type: ignore[arg-type]
