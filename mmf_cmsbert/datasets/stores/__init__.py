"""Stores: segments in Arrow files that open quickly, whatever their size."""
