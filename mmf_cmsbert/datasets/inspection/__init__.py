"""Inspection of a corpus: its content, and what to check before training on it."""
