"""What a run's numbers depend on besides its configuration: code, data, weights, libraries."""

import hashlib
import platform
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import mmf_cmsbert
from mmf_cmsbert import paths

LIBRARIES = ("torch", "transformers", "mmf", "numpy", "omegaconf")
# Rooms whose code starts, reads or documents runs, and changes none of their numbers.
_OUTSIDE = ("commands", "experiments")


def commit() -> dict[str, Any] | None:
    """The commit that the package is checked out at; ``dirty`` where tracked files differ from it.

    None where the package is no checkout (installed from a wheel) or there is no git.
    """
    # An installed package may lie inside somebody else's checkout: it must itself be tracked.
    if _git("ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    return {
        "hash": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
    }


def _git(*words: str) -> str | None:
    try:
        ended = subprocess.run(
            ["git", "-C", str(paths.PACKAGE), *words], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None


def code_sha256(package: Path = paths.PACKAGE) -> str:
    """A hash of the package's Python files, as far as a run computes with them."""
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        name = file.relative_to(package)
        if name.parts[0] not in _OUTSIDE:
            digest.update(f"{name.as_posix()} {_file_sha256(file)}\n".encode())
    return digest.hexdigest()


def versions() -> dict[str, str | None]:
    """The releases of Python, of this package and of the libraries that compute."""
    found = {"python": platform.python_version(), "mmf_cmsbert": mmf_cmsbert.__version__}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def machine() -> dict[str, Any]:
    """What computes: operating system and processor, GPU, threads."""
    import torch

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
    }


def data_hashes(config: Mapping) -> dict[str, dict[str, dict[str, str | None]]]:
    """Dataset -> split -> file or folder -> SHA-256 of its content, None where there is none.

    Args:
        config: a whole resolved configuration. Of each dataset in use, ``annotations`` are hashed.
    """
    found: dict[str, dict[str, dict[str, str | None]]] = {}
    for name in str(config.get("datasets") or config.get("dataset")).split(","):
        section = (config.get("dataset_config") or {}).get(name) or {}
        folder = Path(section.get("data_dir") or ".").expanduser()
        for split, files in (section.get("annotations") or {}).items():
            files = [files] if isinstance(files, str) else files or []
            hashes = {str(file): content_sha256(folder / str(file)) for file in files}
            found.setdefault(name, {})[split] = hashes
    return found


def backbone_identity(config: Mapping) -> str | None:
    """Which pretrained weights the model starts from.

    A hash of a local folder; ``revision ...`` for a model of the hub, as far as it is cached; None
    for random weights.
    """
    model = (config.get("model_config") or {}).get(config.get("model")) or {}
    backbone = model.get("backbone") or {}
    name = backbone.get("name")
    if not isinstance(name, str) or backbone.get("from_config"):
        return None
    if folder := paths.find(name):
        return content_sha256(folder)
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(name, "config.json")
    return f"revision {Path(cached).parent.name}" if isinstance(cached, str) else None


def content_sha256(path: Path) -> str | None:
    """SHA-256 of a file, or of the names and contents of a folder's files; None where none is."""
    if path.is_file():
        return _file_sha256(path)
    if not path.is_dir():
        return None
    digest = hashlib.sha256()
    for file in _files(path):
        digest.update(f"{file.relative_to(path).as_posix()} {_file_sha256(file)}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _file_sha256(file: Path) -> str:
    status = file.stat()
    return _sha256(str(file), status.st_size, status.st_mtime_ns)


@cache
def _sha256(file: str, size: int, time: int) -> str:
    """The hash of a file as it is at that size and time: large ones are read once."""
    digest = hashlib.sha256()
    with open(file, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
