"""Segment readers (one file a layout), the registered datasets, and the synthetic demo corpus."""
