"""A trained model without MMF: a folder that holds all of it, and predictions from Python."""

from mmf_cmsbert.predictor.prediction import Explanation, Prediction, WordExplanation
from mmf_cmsbert.predictor.predictor import SentimentPredictor

__all__ = ["Explanation", "Prediction", "SentimentPredictor", "WordExplanation"]
