"""Records of runs: what was run, on what, and what it scored."""
