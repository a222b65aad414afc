"""The losses: pure functions of scores, labels and embeddings."""

from mmf_cmsbert.losses.classification import sentiment_cross_entropy
from mmf_cmsbert.losses.contrastive import info_nce, multimodal_contrastive
from mmf_cmsbert.losses.regression import REGRESSIONS, sentiment_regression
from mmf_cmsbert.losses.targets import (
    balanced_class_weights,
    balanced_positive_weights,
    class_cross_entropy,
    multilabel_cross_entropy,
)

__all__ = [
    "REGRESSIONS",
    "balanced_class_weights",
    "balanced_positive_weights",
    "class_cross_entropy",
    "info_nce",
    "multilabel_cross_entropy",
    "multimodal_contrastive",
    "sentiment_cross_entropy",
    "sentiment_regression",
]
