"""What is looked at before MMF starts: names, keys, values, and where the run will be saved."""

import os
from collections.abc import Mapping
from pathlib import Path

from omegaconf import OmegaConf

from mmf_cmsbert import overrides
from mmf_cmsbert.config import ranges, run_length
from mmf_cmsbert.config.schemas.names import unknown_name
from mmf_cmsbert.config_check import check_keys
from mmf_cmsbert.errors import ConfigError

# Sections that MMF's defaults leave empty: the keys that they can hold, or where MMF
# registers it.
_OPEN_SECTIONS = {
    "model_config": "model_name_mapping",
    "dataset_config": "builder_name_mapping",
    "optimizer": ("type", "params"),
    "scheduler": ("type", "params"),
}
# Keys that MMF's defaults lack and that a file may have all the same.
_FILE_ONLY = ("dataset", "learning_rate")
_RUN_TYPES = ("train", "val", "test", "inference", "predict")


def import_user_dir(options: Mapping[str, str], file: Mapping) -> None:
    """Import the plugin that ``env.user_dir`` names, so that what it registers is known.

    Raises:
        ConfigError: there is no such plugin, or it cannot be imported.
    """
    from mmf.utils.env import import_user_module

    env = file.get("env")
    named = env.get("user_dir") if isinstance(env, Mapping) else None
    user_dir = options.get("env.user_dir") or named
    user_dir = user_dir or os.environ.get("MMF_USER_DIR")
    if not user_dir or user_dir == "None":
        return
    try:
        import_user_module(user_dir)
    except ImportError as error:
        raise ConfigError(
            f"env.user_dir={user_dir}: {error}; expected a folder with an __init__.py that imports "
            "what it registers"
        ) from error


def check_names(model: str, datasets: list[str]) -> None:
    """Raise a ConfigError for a model or dataset that nobody registered."""
    from mmf.common.registry import registry
    from mmf.utils.env import setup_imports

    setup_imports()  # or main knows few of its own
    mapping = registry.mapping
    if registry.get_model_class(model) is None:
        raise ConfigError(unknown_name("model", model, mapping["model_name_mapping"]))
    for dataset in datasets:
        if registry.get_builder_class(dataset) is None:
            raise ConfigError(unknown_name("dataset", dataset, mapping["builder_name_mapping"]))


def check_sections(given: Mapping, source: str, known: Mapping) -> None:
    """Refuse a value where MMF has a section.

    Args:
        given: a configuration file, or the content of --config_override.
        source: its name, for the message.
        known: the configuration without it.

    Raises:
        ConfigError: such a value, null included.
    """
    for section, value in given.items():
        if isinstance(known.get(section), Mapping) and not isinstance(value, Mapping):
            raise ConfigError(
                f"{source}: {section} is {value!r}; expected a section with keys, or no such line"
            )


def check_keys_of(given: Mapping, source: str, known: Mapping) -> None:
    """Refuse a misspelt key, which MMF would ignore in silence.

    Args:
        given: a configuration file, or what --config_override holds.
        source: what it is, for the message.
        known: the configuration without it.

    Raises:
        ConfigError: a key that nothing reads.
    """
    from mmf.common.registry import registry

    for section in given:
        if section not in known and section not in _FILE_ONLY:
            raise ConfigError(f"{source}: {unknown_name('section', section, known)}")
        names = _OPEN_SECTIONS.get(section)
        names = registry.mapping[names] if isinstance(names, str) else names
        try:
            if names is not None:
                # MMF main has two more keys in `optimizer`
                names = dict.fromkeys([*names, *(known.get(section) or ())])
                check_keys(given[section], names, section)
            elif isinstance(known.get(section), Mapping):
                check_keys(given[section], known[section], section)
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}") from error


def check_values(options: Mapping[str, str], config: Mapping, defaults: Mapping) -> None:
    """Refuse a value of another kind than its default's, from the file or as typed.

    Raises:
        ConfigError: such a value, or a ``run_type`` that runs nothing.
    """
    try:
        for section in ("training", "evaluation", "checkpoint"):
            _check_section(section, config[section], defaults[section])
    except ConfigError as error:
        raise ConfigError(f"{options.get('config', 'defaults')}: {error}") from error
    ranges.check(OmegaConf.to_container(config, resolve=True), options.get("config", "defaults"))
    for key, text in options.items():
        value = overrides.value_of(text)
        overrides.check_value(key, value, OmegaConf.select(config, key))
        ranges.check({key: value})
    length = {
        key: overrides.value_of(options.get(f"training.{key}", str(config.training[key])))
        for key in (run_length.UPDATES, run_length.EPOCHS)
    }
    run_length.check(length)
    run_type = str(options.get("run_type", config.run_type))
    if any(word not in _RUN_TYPES for word in run_type.replace("+", "_").split("_")):
        raise ConfigError(
            f"run_type is {run_type}; expected some of {', '.join(_RUN_TYPES)}, as in "
            "train_inference"
        )


def _check_section(section: str, values: Mapping, defaults: Mapping) -> None:
    for name, default in defaults.items():
        key, value = f"{section}.{name}", values.get(name)
        if isinstance(default, Mapping) and isinstance(value, Mapping):
            _check_section(key, value, default)
        else:
            overrides.check_value(key, value, default)


def check_save_dir(folder: Path) -> None:
    """Raise a ConfigError unless a run can be saved there: now, not after the first epoch."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"env.save_dir={folder} cannot be made ({error.strerror}); type env.save_dir=FOLDER"
        ) from error
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"env.save_dir={folder} cannot be written to; type env.save_dir=FOLDER")
    for name in ("best.ckpt", "current.ckpt"):
        if (folder / name).is_dir():
            raise ConfigError(
                f"{folder / name} is a folder, where a checkpoint has to be written; move it, or "
                "type env.save_dir=FOLDER"
            )
