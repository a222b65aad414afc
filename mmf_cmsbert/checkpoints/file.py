"""Checkpoint files: whole or absent, of plain values, and loaded without executing anything."""

import os
import re
import shutil
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import Container, OmegaConf

from mmf_cmsbert.errors import UserError


def read(file: Any, map_location: Any = None, **ignored: Any) -> Any:
    """Load a checkpoint of tensors and plain values.

    Args:
        file: a path, or an open binary file.
        map_location: as in `torch.load`.

    Raises:
        UserError: the file is damaged, or holds objects whose loading would execute code.
    """
    try:
        return torch.load(file, map_location=map_location, weights_only=True)
    except OSError:  # missing, not to be read, ...: it says so itself
        raise
    except Exception as error:  # torn files fail in many ways
        name = getattr(file, "name", file)
        reason = " ".join(str(error).split())
        foreign = re.search(r"GLOBAL ([\w.]+)|Unsupported (?:global|class) ([\w.]+)", reason)
        if foreign:
            found = foreign.group(1) or foreign.group(2)
            raise UserError(
                f"The checkpoint {name} holds {found}, and loading it could execute code. Only "
                "tensors, numbers, strings and containers of them are loaded. If you trust where "
                "the file comes from, save its weights alone, once: import torch; torch.save("
                f"torch.load({str(name)!r}, weights_only=False)['model'], 'weights.pth')"
            ) from error
        # torch's own word for a device that is not there, and the like
        if isinstance(error, RuntimeError) and not re.search(
            r"PytorchStreamReader|EOF|corrupt|invalid|magic", reason
        ):
            raise
        raise UserError(
            f"The checkpoint {name} is damaged or is no checkpoint ({reason[:120]}). Delete it, or "
            "copy it again from where it came; models/ beside it may hold an earlier one, which "
            "checkpoint.resume_file=<file> goes on from."
        ) from error


def plain(value: Any, where: str = "checkpoint") -> Any:
    """Return `value` with NumPy's scalars and arrays and OmegaConf's containers made plain.

    Raises:
        UserError: something in it cannot be loaded again without executing code.
    """
    if value is None or isinstance(value, (torch.Tensor, torch.Size, torch.dtype, torch.device)):
        return value
    if isinstance(value, np.generic):  # first: NumPy's float64 is also a float
        return value.item()
    for kind in (bool, int, float, complex, str, bytes):
        if isinstance(value, kind):
            return value if type(value) is kind else kind(value)
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, Container):
        return plain(OmegaConf.to_container(value, resolve=True), where)
    if isinstance(value, dict):
        items = {plain(k, where): plain(v, f"{where}.{k}") for k, v in value.items()}
        if isinstance(value, OrderedDict):  # a state dict, which carries its modules' versions
            items = OrderedDict(items)
            vars(items).update(vars(value))
        return items
    if isinstance(value, (tuple, list, set, frozenset)):
        items = [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise UserError(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}: a checkpoint with it "
        "could not be loaded without executing code. Keep tensors, numbers, strings, or lists and "
        "dicts of them in the states of models, optimizers and schedulers."
    )


def write(contents: Any, *targets: Path) -> None:
    """Save `contents` under each of `targets`, in this order; each is the old file or the new one.

    The contents are serialised once; the targets share one file on disk where that is possible.
    """
    temporary = targets[-1].with_name(targets[-1].name + ".saving")
    with open(temporary, "wb") as file:
        torch.save(contents, file)
        file.flush()
        os.fsync(file.fileno())
    for target in targets[:-1]:
        _place(temporary, target)
    _replace(temporary, targets[-1])


def _place(source: Path, target: Path) -> None:
    staged = target.with_name(target.name + ".placing")
    staged.unlink(missing_ok=True)
    try:
        os.link(source, staged)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, staged)
        with open(staged, "rb") as file:
            os.fsync(file.fileno())
    _replace(staged, target)


def _replace(staged: Path, target: Path) -> None:
    os.replace(staged, target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or the new name may be lost with the power
    finally:
        os.close(folder)
