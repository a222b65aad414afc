"""Experiments over many runs of ``mmf_run``: plans, processes, statistics, tables; without MMF."""
