"""Training runs from Python: make one, and use what it left."""

from mmf_cmsbert.runs.run import Run
from mmf_cmsbert.runs.training import train

__all__ = ["Run", "train"]
