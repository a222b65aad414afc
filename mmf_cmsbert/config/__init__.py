"""Configurations: YAML files, the words of a command line, and the rules that both obey."""
