"""Names, definitions and directions of what a report measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import Any

_MODALITIES = {"visual": "face", "acoustic": "voice"}
_COLOURS = ("text", "visual", "acoustic")
SPLITS = {"train": "training", "val": "validation", "test": "test"}
# Metric -> its usual name, definition (docs/metrics.md), and whether lower is better.
_KNOWN: dict[str, tuple[str, str, bool | None]] = {
    "sentiment_mae": ("MAE", "Mean absolute error of all segments, unclipped.", True),
    "sentiment_corr": ("Corr", "Pearson correlation of all segments; 0 for a constant.", False),
    "sentiment_acc7": (
        "Acc-7",
        "Share of segments in the right one of 7 classes: both clipped to [\u22123, 3] and rounded "
        "half to even.",
        False,
    ),
    "sentiment_acc5": (
        "Acc-5",
        "Share of segments in the right one of 5 classes: both clipped to [\u22122, 2] and rounded "
        "half to even.",
        False,
    ),
    "sentiment_acc2": (
        "Acc-2",
        "Share of segments on the right side: negative (< 0) or not (\u2265 0), all segments.",
        False,
    ),
    "sentiment_f1": ("F1", "F1 of negative and non-negative, weighted by class size.", False),
    "sentiment_acc2_nonzero": (
        "Acc-2 (non-0)",
        "Share of segments on the right side: negative or positive, segments labelled 0 left out.",
        False,
    ),
    "sentiment_f1_nonzero": (
        "F1 (non-0)",
        "F1 of negative and positive, weighted by class size, segments labelled 0 left out.",
        False,
    ),
    "sims_mae": ("MAE", "Mean absolute error, both clipped to [\u22121, 1].", True),
    "sims_corr": ("Corr", "Pearson correlation, both clipped to [\u22121, 1].", False),
    "sims_acc2": ("Acc-2", "Share of segments on the right side: \u2264 0 or > 0.", False),
    "sims_acc3": ("Acc-3", "Share in the right one of 3 classes, cut at \u22120.1 and 0.1.", False),
    "sims_acc5": (
        "Acc-5",
        "Share in the right one of 5 classes, cut at \u22120.7, \u22120.1, 0.1 and 0.7.",
        False,
    ),
    "sims_f1": ("F1", "F1 of \u2264 0 and > 0, weighted by class size.", False),
    "sims_acc2_weak": (
        "Acc-2 (weak)",
        "Share on the right side of the segments labelled in [\u22120.4, 0.4].",
        False,
    ),
    "regression_mae": ("MAE", "Mean absolute error, unclipped.", True),
    "regression_corr": ("Corr", "Pearson correlation; 0 for a constant.", False),
    "regression_mse": ("MSE", "Mean squared error, unclipped.", True),
    "regression_response": (
        "Response",
        "Slope of the predictions on the labels, or on those of another target.",
        False,
    ),
    "regression_accuracy": (
        "Accuracy",
        "Share of equal whole numbers: clipped to the target's limits and rounded half to even.",
        False,
    ),
    "class_accuracy": ("Accuracy", "Share of segments in the right class.", False),
    "class_f1_weighted": ("F1 (weighted)", "F1 of the classes, weighted by their size.", False),
    "class_f1_macro": ("F1 (macro)", "Mean F1 of the classes.", False),
    "class_recall_macro": ("UAR", "Mean recall of the classes.", False),
    "multilabel_accuracy": ("Accuracy", "Share of right answers, mean over the labels.", False),
    "multilabel_accuracy_weighted": (
        "Accuracy (weighted)",
        "Mean recall of having and of not having a label, mean over the labels.",
        False,
    ),
    "multilabel_f1_weighted": (
        "F1 (weighted)",
        "F1 of having and of not having a label, weighted by their size, mean over the labels.",
        False,
    ),
    "multilabel_f1": ("F1", "F1 of having a label, mean over the labels.", False),
    **{
        f"alignment_recall_{k}": (
            f"R@{k}",
            f"Share of segments whose own embedding is among the {k} most similar.",
            False,
        )
        for k in (1, 5, 10)
    },
    "alignment_median_rank": ("Median rank", "Rank of a segment's own embedding.", True),
    "alignment_distance": (
        "Alignment",
        "Mean squared distance of a segment's embeddings (Wang & Isola, 2020).",
        True,
    ),
    "alignment_uniformity": (
        "Uniformity",
        "How unevenly embeddings are spread over the sphere (Wang & Isola, 2020).",
        True,
    ),
    "alignment_gap": (
        "Modality gap",
        "Distance between the modalities' mean embeddings (Liang et al., 2022).",
        None,
    ),
    "alignment_calibration_error": (
        "ECE of matches",
        "Mean difference of the matches' probability and accuracy, over 15 bins.",
        True,
    ),
    "sims_r2": ("R\u00b2", "Coefficient of determination, both clipped to [\u22121, 1].", False),
}


def modality_name(modality: str) -> str:
    """The name of a modality on the page."""
    return _MODALITIES.get(modality, modality)


def modality_colours(modalities: Iterable[str]) -> dict[str, str]:
    """The colours of modalities: their own for text, face and voice, further ones for others."""
    names = list(modalities)
    further = cycle(("fourth", "fifth", "muted"))
    return {name: name if name in _COLOURS else next(further) for name in names}


@dataclass(frozen=True)
class Measure:
    """A metric.

    Attributes:
        key: as records name it, for example ``mosi/sentiment_mae``.
        name: its usual name, with the dataset where there are several.
        definition: in one sentence; empty for a metric of another package.
        lower: whether lower is better; None where that is not known.
    """

    key: str
    name: str
    definition: str
    lower: bool | None

    @property
    def better(self) -> str:
        return {True: "lower is better", False: "higher is better", None: ""}[self.lower]

    @property
    def arrow(self) -> str:
        return {True: "\u2193", False: "\u2191", None: ""}[self.lower]


def measure(key: str, several: bool = False) -> Measure:
    """What is known of a metric.

    Args:
        key: ``<dataset>/<metric>``.
        several: whether there are several datasets, so that the name says which.
    """
    dataset, _, metric = key.rpartition("/")
    name, definition, lower = _KNOWN.get(metric, (metric, "", None))
    return Measure(key, f"{name}, {dataset}" if several and dataset else name, definition, lower)


def measures(keys: Iterable[str]) -> list[Measure]:
    """The measures of several metrics."""
    keys = list(keys)
    several = len({key.rpartition("/")[0] for key in keys}) > 1
    return [measure(key, several) for key in keys]


def criterion(recorded: Mapping[str, Any]) -> Measure:
    """What the best checkpoint of a run was chosen by."""
    found = measure(recorded["criterion"]["name"])
    lower = found.lower if found.lower is not None else bool(recorded["criterion"]["minimize"])
    return Measure(found.key, found.name, found.definition, lower)


def text(value: Any, digits: int = 3) -> str:
    """A number as the page shows it."""
    if not isinstance(value, (int, float)):
        return "\N{EN DASH}"
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed(value: float, digits: int = 3) -> str:
    """A difference as the page shows it."""
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")
