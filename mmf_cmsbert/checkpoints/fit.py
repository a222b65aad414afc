"""Check that a checkpoint's weights and optimizer state fit a model."""

import math
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

import torch

from mmf_cmsbert.errors import UserError

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
    """Convert errors of torch for a checkpoint that does not fit to a clear message.

    Raises:
        UserError: instead of the errors of torch and Python.
    """
    try:
        yield
    except (UserError, torch.OutOfMemoryError):
        raise
    except _FAILURES as error:
        raise _misfit(file, f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from (
            error
        )


def check_names(wanted: Set[str], found: Set[str], file: Any, strictly: bool) -> str | None:
    """Compare the names of weights.

    Args:
        wanted: those of the model.
        found: those of the checkpoint.
        file: the checkpoint, for the message.
        strictly: whether all of them have to agree; else one is enough.

    Returns:
        A warning where some of them differ.

    Raises:
        UserError: the checkpoint does not fit.
    """
    missing, unexpected = _counted(wanted - found), _counted(found - wanted)
    if not missing and not unexpected:
        return None
    parts = [
        f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{', ...' * (len(names) > _SHOWN)}"
        for what, names in (
            ("weights of the model are not in it", missing),
            ("of its weights are not in the model", unexpected),
        )
        if names
    ]
    if strictly or not wanted & found:
        raise _misfit(file, "; ".join(parts))
    return f"{file}: {'; '.join(parts)}. The others were loaded."


def check_optimizer(optimizer: Any, file: Any) -> None:
    """Check the state of an optimizer that a checkpoint was loaded into.

    Raises:
        UserError: the checkpoint does not fit.
    """
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


def _misfit(file: Any, reason: str) -> UserError:
    return UserError(
        f"{file} does not fit this model or optimizer ({reason}). Use the configuration that it "
        "was written with (config.yaml beside it): finetune_lr_multiplier=0, which freezes the "
        "backbone, cannot be switched on or off in between. Or start a new run in another folder: "
        "env.save_dir=FOLDER"
    )


def _counted(names: Set[str]) -> list[str]:
    # Constant; some releases of transformers saved them.
    return sorted(name for name in names if not name.endswith("position_ids"))
