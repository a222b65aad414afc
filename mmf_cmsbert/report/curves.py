"""Training curves from a run's history."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmf_cmsbert.records.history import Entry, Training, Validation
from mmf_cmsbert.report import measures
from mmf_cmsbert.report.chart import SERIES, Chart, Line, Points, axis

_SHOWN = 400  # points of a line
Curve = tuple[list[float], list[float]]


def curves(entries: Sequence[Entry], recorded: Mapping[str, Any]) -> list[Chart]:
    """Losses, the criterion of the best checkpoint, other metrics, learning rate."""
    training = thinned([each for each in entries if isinstance(each, Training)])
    validations = thinned([each for each in entries if isinstance(each, Validation)])
    found = []
    if training:
        found.append(_losses(training, validations))
    if validations:
        found.append(_criterion(validations, recorded))
        if charted := _shares(validations):
            found.append(charted)
    if training:
        found.append(_learning_rate(training))
    return found


def thinned(entries: Sequence[Any]) -> list[Any]:
    """At most so many entries as a line needs, evenly chosen; the last is always one."""
    step = math.ceil(len(entries) / _SHOWN) if entries else 1
    return list(entries[(len(entries) - 1) % step :: step])


def validation_curve(entries: Iterable[Entry], key: str) -> Curve:
    """Updates and values of a metric or loss of the validation split."""
    found = [each for each in entries if isinstance(each, Validation)]
    return (
        [float(each.update) for each in found],
        [_value(each.validation.get(key)) for each in found],
    )


def _losses(training: Sequence[Training], validations: Sequence[Validation]) -> Chart:
    names = list(dict.fromkeys(name for each in training for name in each.losses))
    updates = [float(each.update) for each in training]
    marks, legend, values = [], [], []
    several = len({name.rpartition("/")[0] for name in names}) > 1
    for name, colour in zip(names, SERIES * len(names), strict=False):
        shown = name if several else name.rpartition("/")[2]
        losses = [_value(each.losses.get(name)) for each in training]
        marks.append(Line(updates, losses, colour))
        places, validated = validation_curve(validations, name)
        if any(map(math.isfinite, validated)):
            marks.append(Line(places, validated, colour, dashed=True))
        values += losses + validated
        legend.append((shown.replace("_", " "), colour))
    return Chart(
        name="losses",
        title="Losses",
        reading="Solid: training, the mean of the updates since the point before. Dashed: "
        "validation. A validation loss that rises while the training loss falls shows overfitting.",
        x=axis("update", [0, *updates], room=0.0),
        y=axis("loss", values, zero=min((v for v in values if v == v), default=0) >= 0),
        marks=marks,
        legend=legend,
    )


def _criterion(validations: Sequence[Validation], recorded: Mapping[str, Any]) -> Chart:
    chosen = measures.criterion(recorded)
    updates, values = validation_curve(validations, chosen.key)
    marks: list[Any] = [Line(updates, values, "main", dots=len(updates) <= 60, titles=[
        f"update {update:.0f}: {value:.4f}" for update, value in zip(updates, values, strict=True)
    ])]  # fmt: skip
    legend = []
    best = recorded.get("best")
    if best:
        title = f"best: update {best['update']}, {best['value']:.4f}"
        marks.append(Points([best["update"]], [best["value"]], ["second"], [title], (), 6, 1.0))
        legend = [(f"best, update {best['update']}: {best['value']:.4f}", "second")]
    return Chart(
        name="validation_criterion",
        title=f"Validation {chosen.name} ({chosen.better})",
        reading="The best checkpoint is chosen by this value, on the validation split alone.",
        x=axis("update", [0, *updates], room=0.0),
        y=axis(f"validation {chosen.name}", values, room=0.08),
        marks=marks,
        legend=legend,
    )


def _shares(validations: Sequence[Validation]) -> Chart | None:
    """Correlation, accuracies and F1, which have one scale."""
    keys = list(dict.fromkeys(key for each in validations for key in each.validation))
    wanted = [
        *("sentiment_corr", "sentiment_acc7", "sentiment_acc2_nonzero", "sentiment_f1_nonzero"),
        *("class_accuracy", "class_f1_weighted", "class_f1_macro", "class_recall_macro"),
    ]
    shown = [key for name in wanted for key in keys if key.rpartition("/")[2] == name][:5]
    if not shown:
        return None
    marks, legend, values = [], [], []
    places: list[float] = []
    for found, colour in zip(measures.measures(shown), SERIES, strict=False):
        places, line = validation_curve(validations, found.key)
        marks.append(Line(places, line, colour))
        legend.append((found.name, colour))
        values += line
    return Chart(
        name="validation_shares",
        title="Validation correlation and accuracies (higher is better)",
        reading="They follow the model while it trains, and choose nothing.",
        x=axis("update", [0, *places], room=0.0),
        y=axis("value", values),
        marks=marks,
        legend=legend,
    )


def _learning_rate(training: Sequence[Training]) -> Chart:
    updates = [float(each.update) for each in training]
    rates = [_value(each.learning_rate) for each in training]
    return Chart(
        name="learning_rate",
        title="Learning rate",
        reading="Of the optimizer's first group of parameters, after the update.",
        x=axis("update", [0, *updates], room=0.0),
        y=axis("learning rate", rates, zero=True),
        marks=[Line(updates, rates, "main")],
    )


def _value(value: float | None) -> float:
    return math.nan if value is None else float(value)
