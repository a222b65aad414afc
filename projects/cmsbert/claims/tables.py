"""The tables of claims.md, computed from its records."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from mmf_cmsbert.experiments import convergence as curves
from mmf_cmsbert.experiments import table
from mmf_cmsbert.experiments.cues import report as cues
from mmf_cmsbert.experiments.cues.bayes import Bound
from mmf_cmsbert.experiments.cues.benchmark import Benchmark
from mmf_cmsbert.experiments.cues.condition import Condition
from mmf_cmsbert.experiments.cues.scores import Scores, estimated
from mmf_cmsbert.experiments.job import Job
from mmf_cmsbert.experiments.results import Results, Run
from mmf_cmsbert.records.convergence import Convergence, convergence
from mmf_cmsbert.robustness.writing import TITLES
from mmf_cmsbert.utils.statistics import compare, summarise

Record = Mapping[str, Any]
Rows = list[list[str]]


def scores(record: Record, *options: str) -> Rows:
    """Scores of recipes, and the difference of the first metric from the first recipe's.

    Args:
        record: of an ablation.
        options: `recipe=NAME` is the reference, `recipes=NAME,NAME` are the rows (all); other words
            are metrics.
    """
    given = dict(word.split("=") for word in options if "=" in word)
    metrics = [f"mosi/{word}" for word in options if "=" not in word]
    if names := given.get("recipes"):
        runs = [run for run in record["runs"] if run["recipe"] in names.split(",")]
        runs.sort(key=lambda run: names.split(",").index(run["recipe"]))
        record = {**record, "runs": runs}
    results = _results(record, "test", given.get("recipe"))
    lead, *_ = metrics
    compared = results.comparisons(lead)
    rows = [["recipe", "runs", "best val MAE", *(name.removeprefix("mosi/") for name in metrics)]]
    rows[0] += [f"difference of {lead.removeprefix('mosi/')}", "95%", "p", "p (Holm)"]
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


def validations(record: Record) -> Rows:
    """The best value of the criterion on validation, by recipe: what choices rest on."""
    rows = [["recipe", "runs", f"best validation {record['criterion']['name']}"]]
    for recipe in dict.fromkeys(run["recipe"] for run in record["runs"]):
        values = [run["best"]["value"] for run in record["runs"] if run["recipe"] == recipe]
        rows.append([f"`{recipe}`", str(len(values)), table.spread(summarise(values))])
    return rows


def shares(record: Record) -> Rows:
    """Planted cues: responses of all recipes, and their share of the bound."""
    return cues.curves(planted(record))


def share_differences(record: Record) -> Rows:
    """Planted cues: paired differences of shares."""
    return cues.comparisons(planted(record))


def controls(record: Record) -> Rows:
    """Planted cues: what should have no effect."""
    return cues.controls(planted(record))


def places(record: Record) -> Rows:
    """Weights of frames against planted places: means over the runs of a recipe.

    AUC and mass of each kind of weight, and in brackets those of runs with permuted labels.
    """
    kinds = ("attention", "shift", "gradient")
    found: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for each in record["added"]:
        recipe, base, _ = Path(each["run"]).parts[-3:]
        for one in each["found"]:
            key = (recipe, base.split("_")[0], one["modality"], "permuted" in base, one["kind"])
            found.setdefault(key, []).append(one)
    rows = [["recipe", "placement", "of", "runs"]]
    rows[0] += [f"{kind}, {what}" for kind in kinds for what in ("AUC", "mass")] + [
        "mass by chance"
    ]
    for recipe, placement, modality in dict.fromkeys(key[:3] for key in found):
        cells = []
        for kind in kinds:
            own, permuted = (
                found[recipe, placement, modality, mixed, kind] for mixed in (False, True)
            )
            for what in ("auc", "mass"):
                values = [
                    f"{np.mean([one[what]['value'] for one in ones]):.2f}"
                    for ones in (own, permuted)
                ]
                cells.append("{} ({})".format(*values))
        chance = np.mean([one["chance"] for one in own])
        rows.append([f"`{recipe}`", placement, modality, str(len(own)), *cells, f"{chance:.2f}"])
    return rows


def damaged(record: Record, *modalities: str) -> Rows:
    """Robustness: mean error at each level of damage, over the runs of a recipe.

    Args:
        record: with the JSON of `cmsbert robustness`.
        modalities: what is damaged; everything if none is named.
    """
    curves_of = damage_curves(record, modalities)
    levels = next(iter(curves_of.values()))[0]["levels"]
    rows = [["recipe", "damage", "to", "runs", *(f"{level:g}" for level in levels), "mean added"]]
    for (recipe, kind, modality), own in curves_of.items():
        means = [
            sum(curve["errors"][i]["value"] for curve in own) / len(own) for i in range(len(levels))
        ]
        added = estimated([curve["mean_added"] for curve in own])
        cells = [f"{mean:.3f}" for mean in means]
        start = [f"`{recipe}`", TITLES[kind][0], modality, str(len(own))]
        rows.append([*start, *cells, table.estimate(added)])
    return rows


def damage_differences(record: Record, recipe: str, *others: str) -> Rows:
    """Robustness: paired differences of the mean error that damage adds, over the runs.

    Args:
        record: with the JSON of `cmsbert robustness`.
        recipe: the one that the others are subtracted from.
        others: their names.
    """
    added = {
        key: {Path(curve["run"]).parts[1:]: curve["mean_added"] for curve in curves}
        for key, curves in damage_curves(record).items()
    }
    rows = [["damage", "to", "recipe", "less", "pairs", "mean added, difference", "95%", "p"]]
    for kind, modality in dict.fromkeys(key[1:] for key in added):
        ours = added[recipe, kind, modality]
        for other in others:
            theirs = added[other, kind, modality]
            pair = compare([ours[run] for run in ours], [theirs[run] for run in ours])
            cells = [str(len(ours)), f"{pair.mean:+.3f}", table.interval(pair.low, pair.high, "+")]
            p = "-" if pair.p is None else f"{pair.p:.3f}"
            rows.append([TITLES[kind][0], modality, f"`{recipe}`", f"`{other}`", *cells, p])
    return rows


def damage_curves(
    record: Record, modalities: Sequence[str] = ()
) -> dict[tuple[str, str, str], list[Mapping[str, Any]]]:
    """Return the curves of `cmsbert robustness` by recipe, damage and damaged modality."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for file in record["added"]:
        for curve in file.get("curves", ()):
            if not modalities or curve["modality"] in modalities:
                recipe = recipe_of(curve["run"])
                found.setdefault((recipe, curve["kind"], curve["modality"]), []).append(curve)
    return found


def recipe_of(run: str) -> str:
    """Return the recipe of a run in a record, `RECIPE/BASE/seed_N`.

    Raises:
        SystemExit: it has no base, so that keep.py cut the name of another folder.
    """
    recipe, *rest = Path(run).parts
    if len(rest) != 2 or recipe == "runs":
        sys.exit(f"{run}: expected RECIPE/BASE/seed_N; name a --base in cmsbert ablate")
    return recipe


def shifts(record: Record) -> Rows:
    """Sizes of shifts and gates, means over the runs of a recipe."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for file in record["added"]:
        for each in file.get("shift_sizes", ()):
            found.setdefault(recipe_of(each["run"]), []).append(each)
    modalities = list(next(iter(found.values()))[0]["shifts"])
    rows = [
        [
            "recipe",
            "runs",
            "shift",
            *(f"{part} {m}" for part in ("by", "gate of") for m in modalities),
        ]
    ]
    for recipe, ones in found.items():
        values = [[each["shift"] for each in ones]]
        values += [
            [each[part][m] for each in ones] for part in ("shifts", "gates") for m in modalities
        ]
        cells = (table.estimate(estimated(each)) for each in values)
        rows.append([f"`{recipe}`", str(len(ones)), *cells])
    return rows


def lengths(record: Record) -> Rows:
    """Chance that a segment's own face or voice is more similar to its words than another's.

    Means over the runs of a recipe with their intervals, by which other segments count.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for file in record["added"]:
        for each in file.get("lengths", ()):
            found.setdefault(recipe_of(each["run"]), []).append(each)
    rows = [["recipe", "runs", "among all", "at most 2 words longer or shorter", "equally long"]]
    for recipe, ones in found.items():
        cells = (
            table.estimate(estimated([each[name] for each in ones]))
            for name in ("all", "near", "equal")
        )
        rows.append([f"`{recipe}`", str(len(ones)), *cells])
    return rows


def convergences(record: Record) -> Rows:
    """Figures of the validation curves, by recipe, over all bases and seeds."""
    found = [curves.Curve("", run["recipe"], "", _figures(record, run)) for run in record["runs"]]
    return curves.rows(found)


def convergence_differences(record: Record, recipe: str, other: str) -> Rows:
    """Paired differences of the figures of two recipes, at each label of the record."""
    rows = [["", "figure", f"`{recipe}` less `{other}`", "95%", "p"]]
    labels = dict.fromkeys(run["recipe"].partition(" ")[2] for run in record["runs"])
    for label in labels:
        for figure in ("regret", "spread", "jump", "best"):
            ours, theirs = (
                {
                    (run["base"], run["seed"]): getattr(_figures(record, run), figure)
                    for run in record["runs"]
                    if run["recipe"] == f"{name} {label}".strip()
                }
                for name in (recipe, other)
            )
            pair = compare([ours[key] for key in ours], [theirs[key] for key in ours])
            ends = table.interval(pair.low, pair.high, "+")
            rows.append([label, figure, f"{pair.mean:+.3f}", ends, f"{pair.p:.3f}"])
    return rows


def _figures(record: Record, run: Mapping[str, Any]) -> Convergence:
    updates, values = zip(*run["curve"], strict=True)
    return convergence(updates, values, record["criterion"]["minimize"])


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


def planted(record: Record) -> Scores:
    """Return the responses to planted cues, computed from the scores of the runs."""
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


TABLES: dict[str, Callable[..., Rows]] = {
    "scores": scores,
    "validations": validations,
    "shares": shares,
    "share_differences": share_differences,
    "controls": controls,
    "places": places,
    "damaged": damaged,
    "damage_differences": damage_differences,
    "convergences": convergences,
    "convergence_differences": convergence_differences,
    "shifts": shifts,
    "lengths": lengths,
}
