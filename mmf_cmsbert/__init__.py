"""CMSBERT-CLR and multimodal sentiment analysis for MMF.

Importing this package does not import MMF. As soon as MMF is imported, before or after, it is
patched for current libraries, and the model, losses, datasets, processors and metrics of this
package are registered with it. Without MMF the framework-independent packages (``modules``, and the
functions of ``losses``, ``metrics`` and ``datasets``) work all the same.
"""

from mmf_cmsbert import console, registration
from mmf_cmsbert.registration import register

__all__ = ["__version__", "register"]

__version__ = "0.1.0"

console.begin()
registration.register_with_mmf()
