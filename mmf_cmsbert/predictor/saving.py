"""Write a model to a folder, atomically."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmf_cmsbert.checkpoints import model_files, model_folder
from mmf_cmsbert.checkpoints.model_folder import ModelConfig
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.files import write_error
from mmf_cmsbert.predictor.model_card import model_card
from mmf_cmsbert.utils.unfinished import replaced_folder


def save(
    folder: str | Path,
    config: ModelConfig,
    weights: Mapping[str, Tensor],
    tokenizer: Any,
    overwrite: bool = False,
    name: str | None = None,
) -> None:
    """Write a model to a folder: weights, configuration, tokenizer and model card.

    Args:
        folder: the folder to write to.
        config: the model's configuration.
        weights: its tensors by name.
        tokenizer: a fast tokenizer of transformers.
        overwrite: whether to replace an exported model in the folder.
        name: the model's name in its card; by default the name of the folder.

    Raises:
        ConfigError: the folder is not empty.
        UserError: the folder cannot be written.
    """
    folder = Path(folder).expanduser().absolute()
    check_target(folder, overwrite)
    card = model_card(config, name or folder.name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with replaced_folder(folder) as unfinished:
            model_folder.write(unfinished, config, weights, tokenizer, card)
    except OSError as error:
        raise write_error(error, folder) or ConfigError(
            f"{folder} cannot be written ({error.strerror or error})"
        ) from error


def check_target(folder: Path, overwrite: bool) -> None:
    """Raise a ConfigError if a model cannot be written to ``folder``."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not model_files.is_model(folder):
        raise ConfigError(f"{folder} exists, but is not an exported model; name another folder")
    if not overwrite:
        raise ConfigError(
            f"{folder} contains an exported model; name another folder, or replace it with "
            "--overwrite (from Python: overwrite=True)"
        )
