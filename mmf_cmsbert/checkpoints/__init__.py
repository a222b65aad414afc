"""Checkpoint files: how they are written, verified and read."""
