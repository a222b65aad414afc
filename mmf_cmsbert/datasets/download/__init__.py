"""Download of the published files."""
