"""Processors: words to word pieces, frames to image regions."""
