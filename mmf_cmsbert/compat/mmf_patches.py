"""MMF's own running code, mended where it is wrong; MMF's files stay as they are.

MMF 1.0.0rc10 is the line that is mended. On MMF main a patch applies only where the same fault is.
Each file beside this one mends one part and says what was wrong.
"""

import sys
from collections.abc import Callable
from typing import Any

_active = False


def activate() -> None:
    """Mend the MMF that is installed. Works before and after other code imported MMF, once."""
    global _active
    if _active:
        return
    _active = True

    from mmf_cmsbert.compat import (
        mmf_checkpoint,
        mmf_defaults,
        mmf_early_stopping,
        mmf_evaluation,
        mmf_multi_dataset,
        mmf_names,
        mmf_resume,
        mmf_trainer,
    )

    mmf_defaults.apply()
    mmf_names.apply()
    mmf_checkpoint.apply_safe_loading()

    # Main's trainer is another: it has no `_try_full_validation`, and its checkpoints, early
    # stopping and datasets hang together with it.
    from mmf.trainers.base_trainer import BaseTrainer

    if hasattr(BaseTrainer, "_try_full_validation"):
        mmf_multi_dataset.apply()
        mmf_early_stopping.apply()
        mmf_checkpoint.apply()
        mmf_evaluation.apply()
        mmf_trainer.apply()
        mmf_resume.apply()


def replace_function(module: Any, name: str, make: Callable[[Callable], Callable]) -> None:
    """Put `make(original)` in the place of a function, also where MMF imported it by name."""
    original = getattr(module, name)
    replacement = make(original)
    for other in list(sys.modules.values()):
        if (getattr(other, "__name__", None) or "").split(".")[0] in ("mmf", "mmf_cli"):
            for key, value in list(vars(other).items()):
                if value is original:
                    setattr(other, key, replacement)
