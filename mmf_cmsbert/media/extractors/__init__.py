"""The extractors of this package, one a file; each registers itself."""
