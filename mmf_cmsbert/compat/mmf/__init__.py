"""Faults of MMF itself, by the line that has them: ``both``, ``rc10`` or ``main``."""
