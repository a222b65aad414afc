"""The metrics of multimodal sentiment analysis: pure functions of predictions and labels."""

from mmf_cmsbert.metrics.class_scores import CLASS_METRICS
from mmf_cmsbert.metrics.classes import UNKNOWN, sentiment_class
from mmf_cmsbert.metrics.known_segments import known_segments
from mmf_cmsbert.metrics.multilabel_scores import MULTILABEL_METRICS
from mmf_cmsbert.metrics.sentiment import (
    METRICS,
    acc2,
    acc2_nonzero,
    acc5,
    acc7,
    corr,
    f1,
    f1_nonzero,
    mae,
    rounded_accuracy,
)
from mmf_cmsbert.metrics.sims import SIMS_METRICS, sims_class

__all__ = [
    "CLASS_METRICS",
    "METRICS",
    "MULTILABEL_METRICS",
    "SIMS_METRICS",
    "UNKNOWN",
    "acc2",
    "acc2_nonzero",
    "acc5",
    "acc7",
    "corr",
    "f1",
    "f1_nonzero",
    "known_segments",
    "mae",
    "rounded_accuracy",
    "sentiment_class",
    "sims_class",
]
