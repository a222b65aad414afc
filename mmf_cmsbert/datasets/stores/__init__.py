"""Segments kept in a form that costs nothing to open."""
