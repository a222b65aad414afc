"""Fetching the published files."""
