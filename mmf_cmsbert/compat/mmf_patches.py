"""MMF's own running code, mended where it is wrong; MMF's files stay as they are.

MMF 1.0.0rc10 is the line that is mended. On MMF main a patch applies only where the same fault is.
Each file beside this one mends one part and says what was wrong.
"""

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
