"""Faults of MMF 1.0.0rc10."""
