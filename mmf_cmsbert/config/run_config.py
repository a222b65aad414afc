"""Save the configuration of a run (``config.yaml``, checkpoints), and make it reusable.

It is a resolved snapshot of all keys, including the state of the machine. To reuse it, keys of that
machine and process are removed and paths are made absolute. Values that the recipe derived from
other keys are replaced by their references, so that overriding the other keys changes them, too.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from mmf_cmsbert.files import replaced_file
from mmf_cmsbert.paths import PACKAGE

NAME = "config.yaml"
# Prefix of the temporary files that pass the configuration of an earlier run to MMF.
TEMPORARY = "mmf_cmsbert_"
# Keys that a complete configuration has; a recipe does not have all of them.
_COMPLETE = ("config_version", "datasets", "model", "distributed", "training", "env")
# Keys that MMF sets when it starts.
_RUNTIME = (
    "start_rank",
    "device_id",
    "config",
    "training.local_rank",
    "distributed.init_method",
    "distributed.rank",
    "distributed.port",
    "distributed.world_size",
    "env.cache_dir",
    "env.dataset_zoo",
    "env.model_zoo",
    # Set by the command of the new run.
    "checkpoint.resume",
    "checkpoint.resume_best",
    "env.overwrite",
    "evaluation.predict",
)
# Sections of MMF.
_OF_MMF = ("training", "evaluation", "checkpoint", "env", "distributed")
# References that a snapshot contains resolved: those of the shared recipe, and of each dataset.
_DERIVED_IN = "projects/cmsbert/common.yaml"
_DERIVED = {
    "data_dir": "${env.data_dir}/datasets",
    "store_dir": "${env.data_dir}/datasets/stores",
    "processors.word_processor.params.tokenizer": "${model_config.cmsbert.backbone.name}",
}


def is_snapshot(config: Mapping[str, Any]) -> bool:
    """Return whether a configuration is a run's complete one, not a recipe."""
    return all(config.get(key) for key in _COMPLETE)


def saved(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the configuration of a run to save, with absolute paths.

    Args:
        config: the whole configuration, resolved, plain containers.
        folder: the working folder, which relative paths refer to.
    """
    return _with_absolute_paths(without_temporary(config), folder)


def without_temporary(config: Mapping[str, Any]) -> dict[str, Any]:
    """Remove the key ``config`` if it names a temporary file.

    Args:
        config: the configuration of a run, whose ``config`` is the file that MMF read.
    """
    name = Path(str(config.get("config") or "")).name.removeprefix(".")
    temporary = name.startswith(TEMPORARY)
    return {k: v for k, v in config.items() if not (temporary and k == "config")}


def write(config: Mapping[str, Any], file: Path) -> None:
    """Write a configuration as YAML, atomically."""
    with replaced_file(file) as unfinished:
        unfinished.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")


def usable(
    snapshot: Mapping[str, Any], folder: Path, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Convert a snapshot to a configuration file that reproduces the run.

    Args:
        snapshot: a run's configuration, plain containers.
        folder: the run's folder, which contains the snapshot.
        known: MMF's defaults. Keys of MMF's sections that are not in them (from the other line of
            MMF) are removed.
    """
    result = _copied(snapshot)
    predicted = bool((result.get("evaluation") or {}).get("predict"))
    if (base := working_folder(snapshot, folder)) is not None:
        result = _with_absolute_paths(result, base)
    for key in _RUNTIME:
        _remove(result, key)
    if (result.get("training") or {}).get("device") == "cpu":
        _remove(result, "training.device")  # MMF sets it on a machine without a GPU
    for key in [key for key, value in (result.get("env") or {}).items() if value in ("", None)]:
        _remove(result, f"env.{key}")
    training = result.get("training") or {}
    if training.get("max_epochs") is not None:
        training["max_updates"] = None  # earlier releases saved both; max_epochs had precedence
    if predicted:  # a prediction set it to its weights
        _remove(result, "checkpoint.resume_file")
    if data_dir := (result.get("env") or {}).get("data_dir"):
        _derive_again(result)
        if not Path(data_dir).expanduser().exists():
            _remove(result, "env.data_dir")  # of another machine
    for section in _OF_MMF:
        if known and isinstance(result.get(section), dict):
            _keep_known(result[section], known[section])
    result["dataset"] = result.get("datasets") or result.get("dataset")
    return result


def working_folder(snapshot: Mapping[str, Any], folder: Path) -> Path | None:
    """Return the folder that a snapshot's relative paths refer to, or None if unknown.

    It is derived from a relative ``env.save_dir``, the run's folder relative to it.
    """
    save_dir = (snapshot.get("env") or {}).get("save_dir")
    if not save_dir or Path(save_dir).expanduser().is_absolute():
        return None
    parts = Path(save_dir).parts  # without "."
    own = folder.resolve().parts
    if ".." in parts or not parts or own[-len(parts) :] != parts:
        return None
    return Path(*own[: -len(parts)])


def _with_absolute_paths(config: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    result = _copied(config)
    for section in ("env", "checkpoint", "dataset_config", "model_config"):
        for owner, key, value in list(_strings(result.get(section))):
            # Files of a split are relative to data_dir, which is made absolute.
            always = str(key).endswith("_dir") and key != "user_dir" and value
            if always or "/" in value:
                owner[key] = _absolute(value, folder, always=bool(always))
    return result


def _absolute(value: str, folder: Path, always: bool) -> str:
    path = Path(value).expanduser()
    if path.is_absolute() or "://" in value or "${" in value or (PACKAGE / path).exists():
        return value
    return str((folder / path).absolute()) if always or (folder / path).exists() else value


def _strings(node: Any) -> Iterator[tuple[dict[str, Any], Any, str]]:
    """Yield each string of a section with its mapping and key, except in ``annotations``."""
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if isinstance(value, str):
            yield node, key, value
        elif key != "annotations":
            yield from _strings(value)


def _derive_again(config: dict[str, Any]) -> None:
    """Replace values by the references of the shipped files if these resolve to the same value."""
    shipped = OmegaConf.to_container(OmegaConf.load(PACKAGE / _DERIVED_IN))
    references = dict(_references(shipped))
    for name in config.get("dataset_config") or {}:
        references |= {f"dataset_config.{name}.{key}": each for key, each in _DERIVED.items()}
    for key, reference in references.items():
        owner, last = _owner(config, key)
        if owner is None or last not in owner:
            continue
        try:
            derived = OmegaConf.create({**_copied(config), "derived": reference})["derived"]
        except Exception:  # it refers to a key that this configuration lacks
            continue
        if owner[last] == derived:
            owner[last] = reference


def _references(node: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for name, below in node.items():
            yield from _references(below, f"{key}.{name}" if key else name)
    elif isinstance(node, str) and "${" in node:
        yield key, node


def _owner(config: Any, key: str) -> tuple[dict[str, Any] | None, str]:
    *path, last = key.split(".")
    for name in path:
        config = config.get(name) if isinstance(config, Mapping) else None
    return (config if isinstance(config, dict) else None), last


def _remove(config: dict[str, Any], key: str) -> None:
    owner, last = _owner(config, key)
    if owner is not None:
        owner.pop(last, None)


def _keep_known(section: dict[str, Any], known: Mapping[str, Any]) -> None:
    for key in [key for key in section if key not in known]:
        del section[key]
    for key, below in known.items():
        if isinstance(below, Mapping) and below and isinstance(section.get(key), dict):
            _keep_known(section[key], below)


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(each) for each in node] if isinstance(node, (list, tuple)) else node
