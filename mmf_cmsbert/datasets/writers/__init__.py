"""Segments in the layouts of other programs."""
