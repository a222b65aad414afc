"""Trained models without MMF: export to a folder, and predictions from Python."""

from mmf_cmsbert.predictor.prediction import Explanation, Prediction, WordExplanation
from mmf_cmsbert.predictor.predictor import SentimentPredictor

__all__ = ["Explanation", "Prediction", "SentimentPredictor", "WordExplanation"]
