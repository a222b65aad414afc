"""Where the runs of an experiment are made: on this machine, on Slurm, or on Ray."""
