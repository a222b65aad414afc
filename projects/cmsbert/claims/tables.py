"""The tables of claims.md, computed from its records."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mmf_cmsbert.experiments import convergence as curves
from mmf_cmsbert.experiments import table
from mmf_cmsbert.experiments.cues import report as cues
from mmf_cmsbert.experiments.cues.bayes import Bound
from mmf_cmsbert.experiments.cues.benchmark import Benchmark
from mmf_cmsbert.experiments.cues.condition import Condition
from mmf_cmsbert.experiments.cues.scores import Scores
from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.experiments.results import Results, Run
from mmf_cmsbert.records.convergence import convergence
from mmf_cmsbert.utils.statistics import Estimate, interval

Record = Mapping[str, Any]
Rows = list[list[str]]


def scores(record: Record, *options: str) -> Rows:
    """Scores of recipes, and the difference of the first metric from the first recipe's.

    Args:
        record: of an ablation.
        options: the recipes' order starts with `recipe=NAME`; `split=validation`; other words are
            metrics.
    """
    given = dict(word.split("=") for word in options if "=" in word)
    metrics = [f"mosi/{word}" for word in options if "=" not in word]
    results = _results(record, given.get("split", "test"), given.get("recipe"))
    lead, *_ = metrics
    compared = results.comparisons(lead)
    rows = [["recipe", "runs", "best val MAE", *(name.removeprefix("mosi/") for name in metrics)]]
    rows[0] += ["difference", "95%", "p", "p (Holm)"]
    best = _results(record, "validation", given.get("recipe"))
    for recipe in results.recipes:
        cells = [table.spread(best.summary(recipe, "mosi/sentiment_mae"))]
        cells += [table.spread(results.summary(recipe, metric)) for metric in metrics]
        row = [f"`{recipe}`", str(len(results.of(recipe))), *cells]
        if recipe in compared:
            pair, corrected = compared[recipe]
            row += [f"{pair.mean:+.3f}", table.interval(pair.low, pair.high, "+")]
            row += ["-" if value is None else f"{value:.3f}" for value in (pair.p, corrected)]
        else:
            row += [""] * 4
        rows.append(row)
    return rows


def shares(record: Record) -> Rows:
    """Planted cues: responses of all recipes, and their share of the bound."""
    return cues.curves(_scores(record))


def share_differences(record: Record) -> Rows:
    """Planted cues: paired differences of shares."""
    return cues.comparisons(_scores(record))


def controls(record: Record) -> Rows:
    """Planted cues: what should have no effect."""
    return cues.controls(_scores(record))


def places(record: Record) -> Rows:
    """Attention, shift and gradient against planted places: means over the runs of a recipe."""
    rows = [["recipe", "placement", "weights", "of", "runs", "AUC", "mass", "mass by chance"]]
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for each in record["added"]:
        recipe, base, _ = Path(each["run"]).parts[-3:]
        placement = base.split("_")[0] + (" (permuted labels)" if "permuted" in base else "")
        for one in each["found"]:
            found.setdefault((recipe, placement, one["kind"], one["modality"]), []).append(one)
    for (recipe, placement, kind, modality), ones in sorted(found.items()):
        auc, mass = ([one[name]["value"] for one in ones] for name in ("auc", "mass"))
        chance = sum(one["chance"] for one in ones) / len(ones)
        cells = [table.estimate(_estimate(auc), 2), table.estimate(_estimate(mass), 2)]
        rows.append([f"`{recipe}`", placement, kind, modality, str(len(ones)), *cells])
        rows[-1].append(f"{chance:.2f}")
    return rows


def damaged(record: Record) -> Rows:
    """Robustness: mean error at each level of damage, over the runs of a recipe."""
    curves_of: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for file in record["added"]:
        for curve in file["curves"]:
            recipe = Path(curve["run"]).parts[0]
            curves_of.setdefault((recipe, curve["kind"], curve["modality"]), []).append(curve)
    levels = next(iter(curves_of.values()))[0]["levels"]
    rows = [["recipe", "damage", "to", "runs", *(f"{level:g}" for level in levels), "mean added"]]
    for (recipe, kind, modality), own in curves_of.items():
        means = [
            sum(curve["errors"][i]["value"] for curve in own) / len(own) for i in range(len(levels))
        ]
        added = _estimate([curve["mean_added"] for curve in own])
        cells = [f"{mean:.3f}" for mean in means]
        rows.append([f"`{recipe}`", kind, modality, str(len(own)), *cells, table.estimate(added)])
    return rows


def convergences(record: Record) -> Rows:
    """Figures of the validation curves, by recipe and base."""
    lower = record["criterion"]["minimize"]
    found = []
    for run in record["runs"]:
        updates, values = zip(*run["curve"], strict=True)
        group = "/".join(filter(None, (run["recipe"], run["base"])))
        found.append(curves.Curve("", group, "", convergence(updates, values, lower)))
    return curves.rows(found)


def _results(record: Record, split: str, first: str | None) -> Results:
    recipes = list(dict.fromkeys(run["recipe"] for run in record["runs"]))
    if first is not None:
        recipes.sort(key=lambda name: name != first)
    kind = "inference" if split == "test" else "train_val"
    runs = [
        Run(Job(run["recipe"], run["base"], run["seed"], Path(), (), {"run_type": kind}), run)
        for run in record["runs"]
    ]
    return Results(tuple(recipes), tuple(runs), split)


def _scores(record: Record) -> Scores:
    plan = record["added"][0]
    bounds = {
        (each["placement"], each["draw"]): Bound(
            **{name: value for name, value in each.items() if name not in ("placement", "draw")}
        )
        for each in plan["bounds"]
    }
    conditions = [Condition.named(run["base"]) for run in record["runs"]]
    benchmark = Benchmark(
        jobs=(),
        bounds=bounds,
        placements=list(dict.fromkeys(placement for placement, _ in bounds)),
        strengths=sorted({each.strength for each in conditions}),
        sizes=sorted({each.size for each in conditions}),
        draws=max(draw for _, draw in bounds),
    )
    results = _results(record, "test", None)
    return Scores(benchmark, SimpleNamespace(runs=results.runs))  # type: ignore[arg-type]


def _estimate(values: Sequence[float]) -> Estimate:
    ends = interval(values) if len(values) > 1 else (None, None)
    return Estimate(sum(values) / len(values), *ends)


TABLES: dict[str, Callable[..., Rows]] = {
    "scores": scores,
    "shares": shares,
    "share_differences": share_differences,
    "controls": controls,
    "places": places,
    "damaged": damaged,
    "convergences": convergences,
}
