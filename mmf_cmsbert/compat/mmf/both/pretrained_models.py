"""Loading of pretrained models: clear errors, safetensors, and regular files only."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmf.utils import checkpoint as mmf_checkpoint
from omegaconf import OmegaConf

from mmf_cmsbert.checkpoints import model_files, model_folder
from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import check_regular


@patch(
    "mmf.utils.checkpoint.load_pretrained_model",
    why="A folder without a checkpoint or configuration raises an AssertionError or KeyError. MMF "
    "does not read safetensors.",
    remove_when="MMF reports what is missing in a pretrained model, and reads safetensors.",
)
def pretrained_models() -> None:
    def explaining(original: Callable[..., Any]) -> Callable[..., Any]:
        def load_pretrained_model(name: Any, *args: Any, **kwargs: Any) -> Any:
            if model_files.is_model(folder := Path(name)):
                return _exported(folder)
            try:
                found = original(name, *args, **kwargs)
                if found["config"] is None:
                    raise KeyError("no configuration of this model")
                return found
            except (UserError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # from the network, the archive, the folder, or its content
                reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                raise UserError(
                    f"The pretrained model {name} cannot be loaded ({reason}). Expected the name "
                    "of a model in MMF's zoo, or a folder with one checkpoint (*.ckpt, *.pth or "
                    "*.pt) that contains a model_config or is beside one YAML file with it"
                ) from error

        return load_pretrained_model

    imports.replace_function(mmf_checkpoint, "load_pretrained_model", explaining)


def _exported(folder: Path) -> dict[str, Any]:
    """Return an exported model in the form of MMF's pretrained models."""
    checkpoint = model_folder.as_checkpoint(folder)
    return {
        "config": OmegaConf.create(model_folder.to_build(model_folder.read_config(folder))),
        "checkpoint": checkpoint["model"],
        "full_config": OmegaConf.create(checkpoint["config"]),
    }


@patch(
    "mmf.utils.checkpoint.PathManager",
    "main",
    why="Opening a named pipe as a checkpoint waits forever.",
    remove_when="MMF opens regular files only.",
)
def regular_files() -> None:
    mmf_checkpoint.PathManager = _RegularFiles(mmf_checkpoint.PathManager)


class _RegularFiles:
    """A path manager that opens regular files only."""

    def __init__(self, original: Any):
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def open(self, path: str, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if "r" in mode and "://" not in str(path):
            check_regular(path)
        return self._original.open(path, mode, *args, **kwargs)
