"""Experiments over many runs of ``mmf_run``: plans, processes, statistics, tables. Needs no MMF."""
