"""CMSBERT-CLR and multimodal sentiment analysis for MMF.

Importing this package does not import MMF. As soon as MMF is imported, before or after, it is
patched for current libraries, and the model, losses, datasets, processors and metrics of this
package are registered with it. Without MMF the framework-independent packages (``modules``, and the
functions of ``losses``, ``metrics`` and ``datasets``) work all the same.
"""

from typing import TYPE_CHECKING, Any

from mmf_cmsbert import console, registration
from mmf_cmsbert.registration import register

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import SentimentPredictor
    from mmf_cmsbert.runs import Run, train

__all__ = ["Run", "SentimentPredictor", "__version__", "register", "train"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # These import torch, so only where they are used.
    if name == "SentimentPredictor":
        from mmf_cmsbert.predictor import SentimentPredictor

        return SentimentPredictor
    if name in ("Run", "train"):
        from mmf_cmsbert import runs

        return getattr(runs, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


console.begin()
registration.register_with_mmf()
