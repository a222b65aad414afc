"""The planted-cue benchmark: made frames with a known part of the label, and its Bayes bound."""
