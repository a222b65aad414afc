"""MMF's own running code, mended where it is wrong; MMF's files stay as they are.

Each file beside this one mends one part and says what was wrong, and on which line: 1.0.0rc10, or
main (1.0.0rc12). Files named `mmf_main_...` are for main alone.
"""

from importlib import import_module

from mmf_cmsbert.compat.patch import apply_all

# layers first: the other files patch models that use them
_STOCK_MODELS = ("layers", "berts", "vit", "uniter", "embeddings", "fields")
_active = False


def activate() -> None:
    """Mend the MMF that is installed. Works before and after other code imported MMF, once."""
    global _active
    if _active:
        return
    _active = True

    from mmf_cmsbert.compat import (
        mmf_checkpoint,
        mmf_checkpoint_loading,
        mmf_defaults,
        mmf_early_stopping,
        mmf_environment,
        mmf_evaluation,
        mmf_line,
        mmf_log_files,
        mmf_names,
        mmf_precision,
        mmf_resume,
        mmf_scores,
        mmf_yaml,
    )

    apply_all(mmf_yaml)
    apply_all(mmf_environment)
    apply_all(mmf_log_files)
    mmf_defaults.apply()
    mmf_names.apply()
    mmf_checkpoint.apply_safe_loading()
    for name in _STOCK_MODELS:
        apply_all(import_module(f"mmf_cmsbert.compat.models.{name}"))
    mmf_early_stopping.apply()
    mmf_checkpoint.apply()
    apply_all(mmf_checkpoint_loading)
    mmf_evaluation.apply()
    apply_all(mmf_scores)
    if mmf_line.is_main():
        from mmf_cmsbert.compat import (
            mmf_losses,
            mmf_main_datasets,
            mmf_main_lightning,
            mmf_main_trainer,
            mmf_user_dir,
        )

        mmf_user_dir.apply()
        mmf_losses.apply()
        mmf_main_datasets.apply()
        mmf_main_trainer.apply()
        mmf_main_lightning.apply()
    else:
        from mmf_cmsbert.compat import mmf_metrics, mmf_multi_dataset, mmf_trainer

        mmf_metrics.apply()
        mmf_evaluation.apply_to_reporter()
        mmf_multi_dataset.apply()
        mmf_trainer.apply()
    mmf_resume.apply()
    mmf_precision.apply()
