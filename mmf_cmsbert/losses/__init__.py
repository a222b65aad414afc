"""The losses of CMSBERT-CLR: pure functions of scores, labels and embeddings."""

from mmf_cmsbert.losses.classification import sentiment_cross_entropy
from mmf_cmsbert.losses.contrastive import info_nce, multimodal_contrastive
from mmf_cmsbert.losses.regression import REGRESSIONS, sentiment_regression

__all__ = [
    "REGRESSIONS",
    "info_nce",
    "multimodal_contrastive",
    "sentiment_cross_entropy",
    "sentiment_regression",
]
