"""Checkpoint files: complete or absent, verified, of plain values, without code."""

import os
import re
import shutil
from collections import OrderedDict
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np
import torch
from omegaconf import Container

from mmf_cmsbert.checkpoints import verification
from mmf_cmsbert.checkpoints.inventory import Damaged, Foreign
from mmf_cmsbert.errors import UserError
from mmf_cmsbert.files import check_regular, open_regular, replaced_file
from mmf_cmsbert.utils.environment import without_values

# Checkpoints of format 1 have no entry of this name. Format 2 keeps references to environment
# variables in its configuration instead of their values.
FORMAT_KEY, FORMAT = "cmsbert_format", 2
# Of checkpoints that leave tensors to an exported model, see `.shared_weights`.
FORMAT_SHARED = 3


def read(file: Any, map_location: Any = "cpu", **ignored: Any) -> Any:
    """Load a checkpoint of tensors and plain values, after comparing it with its checksums.

    Args:
        file: a path, or an open binary file.
        map_location: as in `torch.load`.
        **ignored: MMF's other arguments of `torch.load`.

    Raises:
        UserError: the file is damaged, was written by a newer version of this package, holds
            objects whose loading would execute code, or is a pipe, device or folder.
    """
    name = getattr(file, "name", "given") if hasattr(file, "read") else file
    with _opened(file) as opened:
        try:
            verification.verify(opened)
            opened.seek(0)
            contents = torch.load(opened, map_location=map_location, weights_only=True)
        except Foreign as foreign:
            raise _foreign(name, str(foreign)) from None
        except Damaged as damage:
            reason = " ".join(str(damage).split())[:150]
            raise UserError(
                f"The checkpoint {name} is damaged or is not a checkpoint ({reason}). Delete it, "
                "or copy it again from its source; the folder models/ beside it may hold an "
                "earlier one, which checkpoint.resume_file=FILE loads."
            ) from None
        except Exception as error:  # of the disk, the device, or a release of torch
            reason = " ".join(str(error).split())
            if found := re.search(r"GLOBAL ([\w.]+)|Unsupported class ([\w.]+)", reason):
                raise _foreign(name, found.group(1) or found.group(2)) from error
            raise UserError(f"The checkpoint {name} cannot be read ({reason[:300]})") from error
    _check_version(contents, name)
    return contents


def _opened(file: Any) -> AbstractContextManager[BinaryIO]:
    """Yield `file`, opened if it is a path; an open file stays open."""
    if hasattr(file, "read"):
        if isinstance(name := getattr(file, "name", None), (str, os.PathLike)):
            check_regular(name)
        return nullcontext(file)
    try:
        return open_regular(file)
    except OSError as error:
        raise UserError(
            f"The checkpoint {file} cannot be read ({error.strerror or error})"
        ) from error


def _foreign(name: Any, found: str) -> UserError:
    return UserError(
        f"The checkpoint {name} holds {found}, and loading it could execute code. Only "
        "tensors, numbers, strings and containers of them are loaded. If you trust the source of "
        "the file, save its weights alone, once: import torch; torch.save("
        f"torch.load({str(name)!r}, weights_only=False)['model'], 'weights.pth')"
    )


def _check_version(contents: Any, name: Any) -> None:
    found = contents.get(FORMAT_KEY, 1) if isinstance(contents, dict) else 1
    if type(found) is not int or not 1 <= found <= FORMAT_SHARED:
        raise UserError(
            f"The checkpoint {name} has {FORMAT_KEY} {found!r}; this version of mmf_cmsbert reads "
            f"formats 1 to {FORMAT_SHARED}. Use the version of mmf_cmsbert that wrote it, or a "
            "newer one."
        )


def plain(value: Any, where: str = "checkpoint") -> Any:
    """Convert NumPy's scalars and arrays and OmegaConf's containers to plain values.

    Raises:
        UserError: something in it cannot be loaded again without executing code.
    """
    if value is None or isinstance(value, (torch.Tensor, torch.Size, torch.dtype, torch.device)):
        return value
    if isinstance(value, np.generic):  # first: NumPy's float64 is also a float
        return value.item()
    for kind in (bool, int, float, complex, str, bytes):
        if isinstance(value, kind):
            return value if type(value) is kind else kind(value)  # type: ignore[arg-type]  # of its own kind
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, Container):
        return plain(without_values(value), where)
    if isinstance(value, dict):
        items = {plain(k, where): plain(v, f"{where}.{k}") for k, v in value.items()}
        if isinstance(value, OrderedDict):  # a state dict, which carries its modules' versions
            items = OrderedDict(items)
            vars(items).update(vars(value))
        return items
    if isinstance(value, (tuple, list, set, frozenset)):
        entries = [plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
        return tuple(entries) if isinstance(value, tuple) else entries
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise UserError(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}: a checkpoint with it "
        "could not be loaded without executing code. Keep tensors, numbers, strings, or lists and "
        "dicts of them in the states of models, optimizers and schedulers."
    )


def write(contents: Any, *targets: Path) -> None:
    """Save `contents` under each of `targets`, in order; each replacement is atomic.

    The contents are serialised once; the targets share one file on disk where that is possible.

    Raises:
        WriteError: the disk is full, a limit is reached, or the folder cannot be written to. The
            partial file is removed.
    """
    with replaced_file(targets[-1]) as unfinished:
        _save(contents, unfinished)
        for target in targets[:-1]:
            with replaced_file(target) as staged:
                _link(unfinished, staged)
            _sync_folder(target.parent)
    _sync_folder(targets[-1].parent)


def link(source: Path, target: Path) -> None:
    """Let ``target`` be the same file as ``source``, or a copy where that is not possible.

    Raises:
        WriteError: as for :func:`write`.
    """
    with replaced_file(target) as staged:
        _link(source, staged)
    _sync_folder(target.parent)


class _Noting:
    """A file that keeps the error of a write, because torch raises one without the reason."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = error
            raise
        return len(data)

    def flush(self) -> None:
        self._file.flush()


def _save(contents: Any, path: Path) -> None:
    # Unbuffered: torch writes in large pieces, and a buffer would keep an error until it is closed.
    with open(path, "wb", buffering=0) as raw:
        file = _Noting(raw)
        try:
            torch.save(contents, cast(IO[bytes], file))  # calls nothing but write and flush
        except Exception as error:
            raise file.error or error from error
        os.fsync(raw.fileno())


def _link(source: Path, staged: Path) -> None:
    staged.unlink(missing_ok=True)
    try:
        os.link(source, staged)
    except OSError:  # a file system without hard links
        with open(source, "rb") as whole, open(staged, "wb") as copy:
            shutil.copyfileobj(whole, copy)
            copy.flush()
            os.fsync(copy.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)  # or the new name may be lost with the power
    finally:
        os.close(folder)
