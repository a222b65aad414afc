"""Faults of both lines of MMF."""
