"""A checkpoint that does not fit ends in one message, whichever way it is loaded."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmf.utils import checkpoint as mmf_checkpoint

from mmf_cmsbert.checkpoints import form
from mmf_cmsbert.compat import imports
from mmf_cmsbert.compat.mmf import log as mmf_log
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import check_regular

_SHOWN = 3
_FAILURES = (
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
)
# Of optimizers whose state has the shape of the parameter.
_PER_PARAMETER = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer", "square_avg")


@contextmanager
def fitting(file: Any) -> Iterator[None]:
    """Turn the error of a checkpoint that does not fit into one that says so."""
    try:
        yield
    except (UserError, torch.OutOfMemoryError):
        raise
    except _FAILURES as error:
        raise _misfit(file, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from (
            error
        )


def _misfit(file: Any, reason: str) -> UserError:
    return UserError(
        f"{file} does not fit this model or optimizer ({reason}). Use the configuration that it "
        "was written with (config.yaml beside it): finetune_lr_multiplier=0, which freezes the "
        "backbone, cannot be switched on or off in between. Or start a new run in another folder: "
        "env.save_dir=FOLDER"
    )


@patch(
    "mmf.utils.checkpoint.Checkpoint._load",
    why="Weights that do not match are dropped, or end in an error of torch's.",
    remove_when="MMF loads strictly where a run is resumed or only evaluated.",
)
def checked_loading() -> None:
    cls = mmf_checkpoint.Checkpoint
    original_load, original_upgrade = cls._load, cls.upgrade_state_dict
    original_load_optimizer = cls._load_optimizer

    def _load(self, file, force=False, load_zoo=False, load_pretrained=False):
        self.loaded_names = None
        with fitting(file):
            original_load(
                self, file, force=force, load_zoo=load_zoo, load_pretrained=load_pretrained
            )
            copies_a_part = load_pretrained and not force and self._mapping()
            if self.loaded_names is not None and not copies_a_part:
                own = not load_zoo and str(file) != str(self.config.checkpoint.resume_file)
                _check_names(self, file, own or "train" not in self.config.run_type)
                _check_optimizer(self.trainer.optimizer, file)

    def upgrade_state_dict(self, state_dict):
        result = original_upgrade(self, state_dict)
        self.loaded_names = set(result)
        return result

    def _load_optimizer(self, ckpt):
        if isinstance(kept := ckpt.get("optimizer"), dict):
            own = self.trainer.optimizer.state_dict()["param_groups"]
            if wrong := form.difference(own, kept.get("param_groups"), "optimizer.param_groups"):
                raise ValueError(wrong)
        original_load_optimizer(self, ckpt)

    cls._load = _load
    cls._load_optimizer = _load_optimizer
    cls._mapping = lambda self: self.config.checkpoint.pretrained_state_mapping
    cls.upgrade_state_dict = upgrade_state_dict


def _check_names(checkpoint: Any, file: Any, strictly: bool) -> None:
    wanted = set(checkpoint.trainer.model.state_dict())
    missing = _named(wanted - checkpoint.loaded_names)
    unexpected = _named(checkpoint.loaded_names - wanted)
    if not missing and not unexpected:
        return
    parts = [
        f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{', ...' * (len(names) > _SHOWN)}"
        for what, names in (
            ("weights of the model are not in it", missing),
            ("of its weights are not in the model", unexpected),
        )
        if names
    ]
    if strictly or not wanted & checkpoint.loaded_names:
        raise _misfit(file, "; ".join(parts))
    mmf_log.write(f"{file}: {'; '.join(parts)}. The others were loaded.", "warning")


def _named(names: set[str]) -> list[str]:
    # Constant; some releases of transformers saved them.
    return sorted(name for name in names if not name.endswith("position_ids"))


def _check_optimizer(optimizer: Any, file: Any) -> None:
    for parameter, state in getattr(optimizer, "state", {}).items():
        for name, value in state.items():
            is_tensor = isinstance(value, torch.Tensor)
            if name in _PER_PARAMETER and not (is_tensor and value.shape == parameter.shape):
                found = tuple(value.shape) if is_tensor else type(value).__name__
                wanted = tuple(parameter.shape)
                raise _misfit(file, f"optimizer state {name} is {found}, its parameter {wanted}")
            if name == "step" and not (
                isinstance(value, (int, float)) or (is_tensor and math.prod(value.shape) == 1)
            ):
                raise _misfit(file, "the optimizer's step is not a number")


@patch(
    "mmf.utils.checkpoint.load_pretrained_model",
    why="A folder without a checkpoint or configuration ends in an AssertionError or KeyError.",
    remove_when="MMF explains what a pretrained model consists of.",
)
def pretrained_models() -> None:
    def explaining(original):
        def load_pretrained_model(name, *args, **kwargs):
            try:
                found = original(name, *args, **kwargs)
                if found["config"] is None:
                    raise KeyError("no configuration of this model")
                return found
            except (UserError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # of the network, the archive, the folder, or its content
                reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
                raise UserError(
                    f"The pretrained model {name} cannot be loaded ({reason}). Expected a model of "
                    "MMF's zoo by name, or a folder of the model's name that holds one checkpoint "
                    "(*.ckpt, *.pth or *.pt) and its model_config, there or in one YAML file"
                ) from error

        return load_pretrained_model

    imports.replace_function(mmf_checkpoint, "load_pretrained_model", explaining)


@patch(
    "mmf.utils.checkpoint.PathManager",
    "main",
    why="Opening a named pipe as a checkpoint waits for ever.",
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
