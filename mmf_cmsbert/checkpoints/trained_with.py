"""The configuration that a checkpoint's weights were trained with."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.checkpoints import model_files, model_folder
from mmf_cmsbert.checkpoints.inventory import Damaged, Foreign
from mmf_cmsbert.checkpoints.verification import outline
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import open_regular


def configuration(file: str | Path) -> dict[str, Any] | None:
    """Read the configuration of a checkpoint file or exported model, without its tensors.

    None where the file holds none, or cannot be read; loading it then says why.
    """
    if model_files.is_model(folder := Path(file)):
        return model_folder.run_configuration(model_folder.read_config(folder))
    try:
        with open_regular(file) as opened:
            return configuration_of(outline(opened))
    except (OSError, DataError, Damaged, Foreign):
        return None


def configuration_of(checkpoint: Any) -> dict[str, Any] | None:
    """Return the configuration in a loaded checkpoint; None without one of this package."""
    if not isinstance(checkpoint, Mapping) or "resume" not in checkpoint:
        return None  # the entry that every checkpoint of this package has
    config = checkpoint.get("config")
    return dict(config) if isinstance(config, Mapping) and config.get("model") else None
