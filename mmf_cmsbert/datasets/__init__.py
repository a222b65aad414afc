"""Segment readers (one file for each layout), registered datasets, the synthetic demo corpus."""
