"""Patches of MMF's stock models."""
