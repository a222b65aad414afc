"""Benchmarks whose runs are not started: their scores are made up from what each recipe finds."""

import numpy as np
import pytest
from made_up_runs import resolve

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.experiments.cues.benchmark import RECIPES, condition_of, planned
from mmf_cmsbert.experiments.cues.scores import MAE, MSE, RESPONSE, Scores
from mmf_cmsbert.experiments.cues.texts import Texts
from mmf_cmsbert.experiments.results import Results, Run


def _texts(draw=1):
    rng = np.random.default_rng(0)
    words = ["this", "film", "was", "simply", "wonderful", "to", "me"]
    splits = {}
    for split, count in {"train": 12, "val": 6, "test": 40}.items():
        labels = rng.integers(-3, 4, count)
        splits[split] = [
            Segment(f"{split}{i}", "v", tuple(words[: 3 + i % 4]), {}, float(label))
            for i, label in enumerate(labels)
        ]
    return Texts(splits)


@pytest.fixture
def sentences():
    return _texts


@pytest.fixture
def plan(tmp_path):
    """Plan a benchmark on a few sentences."""

    def make(
        placements=("own", "other"), strengths=(0.0, 1.0), sizes=(12,), draws=1, permuted=True
    ):
        base = tmp_path / "base.yaml"
        base.write_text("includes: []\n")
        of = (placements, strengths, sizes, draws)
        return planned(_texts, *of, base, [], tmp_path / "output", resolve, permuted)

    return make


@pytest.fixture
def scored():
    """Make up runs in which each recipe finds a share of the bound; return the scores."""

    def make(benchmark, shares):
        rng, runs = np.random.default_rng(0), []
        for job in benchmark.jobs:
            of = condition_of(job)
            most = of.strength * benchmark.bounds[of.placement, of.draw].response
            effect = 0 if of.permuted else shares[job.recipe] * most
            response = effect + 0.01 * rng.normal()
            test = {MAE: 1.0, MSE: 2.0 + of.strength**2, RESPONSE: response}
            runs.append(Run(job, {"test": test}))
        return Scores(benchmark, Results(RECIPES, tuple(runs)))

    return make
