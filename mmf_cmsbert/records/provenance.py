"""Identify what determines a run's results besides its configuration.

These are the code, the data, the pretrained weights, the libraries and the machine.
"""

import hashlib
import os
import platform
import socket
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import mmf_cmsbert
from mmf_cmsbert import paths
from mmf_cmsbert.config import definitions
from mmf_cmsbert.datasets.readers.source_files import files_of
from mmf_cmsbert.datasets.split_files import read_split_files
from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.errors import DataError, UserError
from mmf_cmsbert.files import sha256_of
from mmf_cmsbert.utils.environment import with_references, with_values

LIBRARIES = ("torch", "transformers", "mmf", "numpy", "omegaconf")
# Variables that hold the number of a cluster's job.
_JOBS = ("SLURM_JOB_ID", "RAY_JOB_ID", "PBS_JOBID", "LSB_JOBID")
# Packages that start, read or document runs and do not change their results.
_OUTSIDE = ("commands", "experiments", "records", "report")


def commit() -> dict[str, Any] | None:
    """Return the package's git commit; ``dirty`` if tracked files differ from it.

    None if the package is not in a checkout (installed from a wheel) or git is not available.
    """
    # The package must be tracked itself, as it may be installed inside another checkout.
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
    """Return a hash of the package's Python files that affect the results of a run."""
    files = sorted(package.rglob("*.py"))
    computing = (file for file in files if file.relative_to(package).parts[0] not in _OUTSIDE)
    return _together(package, ((file, sha256_of(file)) for file in computing))


def versions() -> dict[str, str | None]:
    """Return the versions of Python, of this package and of the numerical libraries."""
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "mmf_cmsbert": mmf_cmsbert.__version__,
    }
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def machine() -> dict[str, Any]:
    """Return the operating system, GPU and number of threads, and where the run is made."""
    import torch

    job = next((os.environ[name] for name in _JOBS if name in os.environ), None)
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
        "host": os.environ.get("SLURMD_NODENAME") or socket.gethostname(),
        "job": job,
    }


def data_hashes(config: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str | None]]]:
    """Return hashes of the data in use: dataset -> split -> file or folder -> SHA-256 or None.

    The hash of a folder covers the files that segments are read from. If a store was made from a
    file, the hash is taken from the store's manifest. None stands for a missing file.

    Args:
        config: a whole configuration, resolved except for environment variables.
    """
    found: dict[str, dict[str, dict[str, str | None]]] = {}
    for name in str(config.get("datasets") or config.get("dataset")).split(","):
        kept = (config.get("dataset_config") or {}).get(name) or {}
        section = with_values(kept)
        known = _converted(section.get("store_dir"))
        for split, files in _files(name, section).items():
            hashes = found.setdefault(name, {})[split] = {}
            for shown, file in files.items():
                hashes[with_references(shown, kept)] = _data_sha256(file, split, known)
    return found


def _files(name: str, section: Mapping[str, Any]) -> dict[str, dict[str, Path]]:
    """Return the files of each split by name: split -> name -> path."""
    folder = Path(section.get("data_dir") or ".").expanduser()
    files: dict[str, dict[str, Path]] = {}
    for split, names in (section.get("annotations") or {}).items():
        names = [names] if isinstance(names, str) else names or []
        files[split] = {str(each): folder / Path(str(each)).expanduser() for each in names}
    schema = definitions.schema_for(name, section)
    if schema is None or "data_dir" not in section:
        return files  # not a dataset of this package
    for split, named in files.items():
        if section.get("source") or not all(file.exists() for file in named.values()):
            with suppress(UserError):  # the dataset builder reports errors
                ours = read_split_files(schema, name, section)
                files[split] = {str(file): file for file in ours.of(split)}
    return files


def _converted(store_dir: str | None) -> list[manifest.SourceFile]:
    """Return the source files of the stores in a folder."""
    found: list[manifest.SourceFile] = []
    for file in Path(store_dir).expanduser().glob(f"*/{manifest.NAME}") if store_dir else ():
        with suppress(DataError):  # a broken store
            found += manifest.read_manifest(file.parent).sources
    return found


def _data_sha256(path: Path, split: str, known: Iterable[manifest.SourceFile]) -> str | None:
    path = path.absolute()
    files = files_of([path], split) if path.exists() else []
    if not files:  # missing, or a folder with a layout of another dataset
        return content_sha256(path)
    sources = manifest.identify(files, known)
    if files == [path]:
        return sources[0].sha256
    root = path if path.is_dir() else path.parent
    return _together(root, ((Path(source.path), source.sha256) for source in sources))


def backbone_identity(config: Mapping[str, Any]) -> str | None:
    """Identify the pretrained weights that the model starts from.

    Returns:
        A hash of a local folder; ``revision ...`` for a cached model of the hub; None for random
        weights.
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
    """Return the SHA-256 of a file, or of a folder's names and contents; None if missing."""
    if path.is_file():
        return sha256_of(path)
    if not path.is_dir():
        return None
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    return _together(path, ((file, sha256_of(file)) for file in files))


def _together(root: Path, hashes: Iterable[tuple[Path, str]]) -> str:
    """Return one hash of the names of files, relative to ``root``, and of their hashes."""
    digest = hashlib.sha256()
    for file, sha256 in hashes:
        digest.update(f"{file.relative_to(root).as_posix()} {sha256}\n".encode())
    return digest.hexdigest()
