"""CMSBERT-CLR and multimodal sentiment analysis for MMF.

Importing the package puts MMF on today's libraries and registers the model, losses, datasets,
processors and metrics with it. Where MMF is not installed the pure rooms (`modules`, and the
functions of `losses`, `metrics` and `datasets`) are usable all the same.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

__version__ = "0.1.0"

MMF_INSTALLED = find_spec("mmf") is not None
# The command `cmsbert` works on files and starts other commands. It needs no MMF, whose import
# takes seconds.
_NEEDS_MMF = Path((sys.argv or [""])[0]).stem != "cmsbert"

if MMF_INSTALLED and _NEEDS_MMF:
    from mmf_cmsbert import compat

    compat.activate()

    import mmf_cmsbert.datasets.builders
    import mmf_cmsbert.losses.registered
    import mmf_cmsbert.metrics.registered
    import mmf_cmsbert.models.cmsbert
    import mmf_cmsbert.processors.registered
    import mmf_cmsbert.trainers.schedule  # noqa: F401
