"""Plan the runs of the planted-cue benchmark."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmf_cmsbert.experiments import recipe
from mmf_cmsbert.experiments.cues.bayes import Bound
from mmf_cmsbert.experiments.cues.condition import Condition, conditions
from mmf_cmsbert.experiments.cues.corpora import Corpora
from mmf_cmsbert.experiments.cues.texts import Texts
from mmf_cmsbert.experiments.job import Job, plan

TEXT = "text_only"
RECIPES = (TEXT, "mag", "cms", "cms_clr")


@dataclass(frozen=True)
class Benchmark:
    """The runs and what they are compared with.

    Attributes:
        jobs: the runs.
        bounds: placement and draw -> the best that frames of the test split allow.
        placements: in the order of the tables.
        strengths: in ascending order.
        sizes: numbers of training segments, in ascending order.
        draws: number of draws, which is that of training seeds.
    """

    jobs: Sequence[Job]
    bounds: Mapping[tuple[str, int], Bound]
    placements: Sequence[str]
    strengths: Sequence[float]
    sizes: Sequence[int]
    draws: int


def planned(
    texts: Callable[[int], Texts],
    placements: Sequence[str],
    strengths: Sequence[float],
    sizes: Sequence[int],
    draws: int,
    base: Path,
    options: Sequence[str],
    output: Path,
    resolve: Callable[[Sequence[str]], Mapping[str, Any]],
    permuted: bool = True,
) -> Benchmark:
    """Write the corpora that are missing, and plan all runs, draw by draw.

    Text alone reads no frames, and all placements have the same words and labels, so it runs for
    the first placement only.

    Args:
        texts: returns words and labels for a draw.
        placements: where cues are planted.
        strengths: how much a cue of 1 adds to the label.
        sizes: numbers of training segments.
        draws: number of draws of cues and frames; run N trains with seed N on draw N.
        base: the recipe that says backbone, rate and length.
        options: ``KEY=VALUE`` words for all runs.
        output: the folder of the benchmark.
        resolve: returns the complete configuration for words of ``mmf_run``.
        permuted: also run the controls with permuted labels.
    """
    files = {name: recipe.find(name) for name in RECIPES}
    jobs, bounds = [], {}
    for draw in range(1, draws + 1):
        found = texts(draw)
        for placement in placements:
            corpora = Corpora(found, placement, draw, output / "corpora")
            bounds[placement, draw] = corpora.bound
            chosen = [f for name, f in files.items() if name != TEXT or placement == placements[0]]
            bases = [
                corpora.write(each, base)
                for each in conditions([placement], strengths, sizes, draw, permuted)
            ]
            jobs += plan(chosen, bases, [draw], options, output, resolve)
    return Benchmark(jobs, bounds, placements, sorted(strengths), sizes, draws)


def condition_of(job: Job) -> Condition:
    """Return the condition of a run."""
    return Condition.named(job.base)
