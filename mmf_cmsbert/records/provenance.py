"""What a run's numbers depend on besides its configuration: code, data, weights, libraries."""

import hashlib
import platform
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import mmf_cmsbert
from mmf_cmsbert import paths
from mmf_cmsbert.config.schemas.datasets import DATASETS
from mmf_cmsbert.datasets.readers.source_files import files_of
from mmf_cmsbert.datasets.split_files import read_split_files
from mmf_cmsbert.datasets.stores import manifest
from mmf_cmsbert.errors import DataError, UserError
from mmf_cmsbert.files import sha256_of
from mmf_cmsbert.utils.environment import with_references, with_values

LIBRARIES = ("torch", "transformers", "mmf", "numpy", "omegaconf")
# Packages that start, read or document runs and change none of their numbers.
_OUTSIDE = ("commands", "experiments", "records")


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
    files = sorted(package.rglob("*.py"))
    computing = (file for file in files if file.relative_to(package).parts[0] not in _OUTSIDE)
    return _together(package, ((file, sha256_of(file)) for file in computing))


def versions() -> dict[str, str | None]:
    """The releases of Python, of this package and of the libraries that compute."""
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
    """What computes: operating system and processor, GPU, threads."""
    import torch

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
    }


def data_hashes(config: Mapping[str, Any]) -> dict[str, dict[str, dict[str, str | None]]]:
    """Dataset -> split -> file or folder -> SHA-256 of its content, None where there is none.

    Of a folder that is what segments are read from. A file that a store was made from is not read
    for it: the store's manifest knows its hash.

    Args:
        config: a whole configuration, resolved except for environment variables. Of each dataset
            in use, the files of its splits are hashed.
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
    """Split -> its files, by the names that the configuration or the search in a source gives."""
    folder = Path(section.get("data_dir") or ".").expanduser()
    files: dict[str, dict[str, Path]] = {}
    for split, names in (section.get("annotations") or {}).items():
        names = [names] if isinstance(names, str) else names or []
        files[split] = {str(each): folder / Path(str(each)).expanduser() for each in names}
    if name not in DATASETS or "data_dir" not in section:
        return files  # not a dataset of this package
    for split, named in files.items():
        if section.get("source") or not all(file.exists() for file in named.values()):
            with suppress(UserError):  # what is wrong or missing is the builder's to say
                ours = read_split_files(DATASETS[name], name, section)
                files[split] = {str(file): file for file in ours.of(split)}
    return files


def _converted(store_dir: str | None) -> list[manifest.SourceFile]:
    """The files that the stores in a folder were made from."""
    found: list[manifest.SourceFile] = []
    for file in Path(store_dir).expanduser().glob(f"*/{manifest.NAME}") if store_dir else ():
        with suppress(DataError):  # a broken store
            found += manifest.read_manifest(file.parent).sources
    return found


def _data_sha256(path: Path, split: str, known: Iterable[manifest.SourceFile]) -> str | None:
    path = path.absolute()
    files = files_of([path], split) if path.exists() else []
    if not files:  # nothing there, or a folder that only another dataset can read
        return content_sha256(path)
    sources = manifest.identify(files, known)
    if files == [path]:
        return sources[0].sha256
    root = path if path.is_dir() else path.parent
    return _together(root, ((Path(source.path), source.sha256) for source in sources))


def backbone_identity(config: Mapping[str, Any]) -> str | None:
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
        return sha256_of(path)
    if not path.is_dir():
        return None
    files = (file for file in sorted(path.rglob("*")) if file.is_file())
    return _together(path, ((file, sha256_of(file)) for file in files))


def _together(root: Path, hashes: Iterable[tuple[Path, str]]) -> str:
    """One hash of the names, as seen from ``root``, and the hashes of files."""
    digest = hashlib.sha256()
    for file, sha256 in hashes:
        digest.update(f"{file.relative_to(root).as_posix()} {sha256}\n".encode())
    return digest.hexdigest()
