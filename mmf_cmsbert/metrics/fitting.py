"""Which metrics score which targets."""

from collections.abc import Iterable, Mapping

from mmf_cmsbert.config.schemas.targets import RegressionTarget, Target
from mmf_cmsbert.metrics.alignment import PAIR_METRICS
from mmf_cmsbert.metrics.class_scores import CLASS_METRICS
from mmf_cmsbert.metrics.multilabel_scores import MULTILABEL_METRICS
from mmf_cmsbert.metrics.sentiment import METRICS
from mmf_cmsbert.metrics.sims import SIMS_METRICS

REGRESSION_METRICS = (
    "regression_mae",
    "regression_corr",
    "regression_accuracy",
    "regression_mse",
    "regression_response",
)
_BY_KIND: Mapping[str, Iterable[str]] = {
    "regression": (*METRICS, *SIMS_METRICS, *REGRESSION_METRICS),
    "classes": tuple(CLASS_METRICS),
    "multilabel": tuple(MULTILABEL_METRICS),
}
KINDS = {name: kind for kind, names in _BY_KIND.items() for name in names}
# Metric -> its params, besides the target.
_PARAMS = dict.fromkeys(MULTILABEL_METRICS, ("label",)) | {"regression_response": ("of",)}
# They score embeddings, which every kind of target has.
ALIGNMENT_METRICS = dict.fromkeys(PAIR_METRICS, ("pair",)) | {
    "alignment_calibration_error": ("pair", "candidates")
}
# Metrics with cuts at fixed numbers -> the limits for which they are defined.
_LIMITS = {"sentiment_acc7": (-3, 3), "sentiment_acc5": (-3, 3)}
_LIMITS |= dict.fromkeys(SIMS_METRICS, (-1, 1))
_WITHOUT_SIGN = ("sentiment_mae", "sentiment_corr", *REGRESSION_METRICS)


def suggested(target: Target) -> list[str]:
    """Return the metrics that score a target, the one to select checkpoints by first."""
    if not isinstance(target, RegressionTarget):
        return list(_BY_KIND[target.kind])
    if (target.low, target.high) == (-3, 3):
        return list(METRICS)
    if (target.low, target.high) == (-1, 1):
        return list(SIMS_METRICS)
    return ["regression_mae", "regression_corr"]


def is_minimized(metric: str) -> bool:
    """Return whether lower values of a metric of this package are better."""
    return metric.endswith(
        ("_mae", "_mse", "_median_rank", "_distance", "_uniformity", "_calibration_error")
    )


def params(metric: str) -> tuple[str, ...]:
    """Return the names of a metric's params."""
    if metric in ALIGNMENT_METRICS:
        return ALIGNMENT_METRICS[metric]
    return ("target", *_PARAMS.get(metric, ()))


def misfit(metric: str, name: str, target: Target) -> str | None:
    """Return why a metric of this package cannot score a target, None if it can.

    Args:
        metric: its registered name.
        name: the target's name.
        target: the target.
    """
    if target.kind != KINDS[metric]:
        return (
            f"it scores targets of kind {KINDS[metric]}, and {name} is of kind {target.kind}; "
            f"expected one of {', '.join(_BY_KIND[target.kind])}"
        )
    if not isinstance(target, RegressionTarget):
        return None
    found = (target.low, target.high)
    low, high = _LIMITS.get(metric, found)
    general = f"expected one of {', '.join(REGRESSION_METRICS)}"
    if found != (low, high):
        return (
            f"it is defined for labels in [{low:g}, {high:g}], and those of {name} are in "
            f"[{found[0]:g}, {found[1]:g}]; {general}"
        )
    if metric not in _WITHOUT_SIGN and not low < 0 < high:
        return (
            f"it separates negative from positive labels, and those of {name} are in "
            f"[{low:g}, {high:g}]; {general}"
        )
    return None
