"""CMSBERT-CLR and multimodal sentiment analysis for MMF.

Importing the package puts MMF on today's libraries and registers the model, losses, datasets,
processors and metrics with it. Where MMF is not installed the pure rooms (`modules`, and the
functions of `losses`, `metrics` and `datasets`) are usable all the same.
"""

import sys
from pathlib import Path

from mmf_cmsbert.registration import MMF_INSTALLED, register

__version__ = "0.1.0"

# The command `cmsbert` works on files and starts other commands. It can do without MMF, whose
# import takes seconds, until it asks what a configuration means.
if MMF_INSTALLED and Path((sys.argv or [""])[0]).stem != "cmsbert":
    register()
