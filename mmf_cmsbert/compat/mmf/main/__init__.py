"""Faults of MMF main (1.0.0rc12)."""
