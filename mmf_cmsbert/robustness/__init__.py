"""Scores of a trained model on segments whose face and voice are missing or damaged."""
