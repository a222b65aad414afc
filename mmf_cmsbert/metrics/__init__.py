"""The metrics of multimodal sentiment analysis: pure functions of predictions and labels."""

from mmf_cmsbert.metrics.classes import UNKNOWN, sentiment_class
from mmf_cmsbert.metrics.known_segments import known_segments
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
)
from mmf_cmsbert.metrics.sims import SIMS_METRICS, sims_class

__all__ = [
    "METRICS",
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
    "sentiment_class",
    "sims_class",
]
