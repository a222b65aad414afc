"""Clips to features: sound, pictures and words of media files as segments.

Imports neither MMF nor a model. The libraries of the extra ``[media]`` are imported where they are
used.
"""
