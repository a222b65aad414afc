"""Checks made before MMF starts: names, keys, values, and the folder of the run."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.config import definitions
from mmf_cmsbert.config.schemas.names import unknown_name
from mmf_cmsbert.errors import ConfigError


def import_user_dir(options: Mapping[str, str], file: Mapping[str, Any]) -> None:
    """Import the plugin in ``env.user_dir``, so that its models and datasets are registered.

    Raises:
        ConfigError: the plugin does not exist, or cannot be imported.
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
        definitions.search(Path(user_dir))
    except ImportError as error:
        raise ConfigError(
            f"env.user_dir={user_dir}: {error}; expected a folder with an __init__.py that imports "
            "the modules to register"
        ) from error


def check_names(model: str, datasets: list[str], saved: Mapping[str, Any] | None = None) -> None:
    """Register the datasets that a file defines, and refuse unknown names.

    Args:
        model: the name of the model.
        datasets: the names of the datasets.
        saved: ``dataset_config`` of a run that is repeated or evaluated.

    Raises:
        ConfigError: a model or dataset is neither registered nor defined.
    """
    from mmf.common.registry import registry
    from mmf.utils.env import setup_imports

    setup_imports()  # registers the models and datasets of main
    mapping = registry.mapping
    if registry.get_model_class(model) is None:
        raise ConfigError(unknown_name("model", model, mapping["model_name_mapping"]))
    for dataset in datasets:
        builder = registry.get_builder_class(dataset)
        if builder is None or hasattr(builder, "config_schema"):
            definitions.define_as_saved(dataset, (saved or {}).get(dataset))
            if definitions.find(dataset) is None and builder is None:
                raise ConfigError(definitions.unknown(dataset, mapping["builder_name_mapping"]))


def check_sections(given: Mapping[str, Any], source: str, known: Mapping[str, Any]) -> None:
    """Refuse a value for a key that is a section.

    Args:
        given: a configuration file, or the content of --config_override.
        source: its name, for the message.
        known: the configuration without it.

    Raises:
        ConfigError: a section has a value, such as null, instead of keys.
    """
    for section, value in given.items():
        if isinstance(known.get(section), Mapping) and not isinstance(value, Mapping):
            raise ConfigError(
                f"{source}: {section} is {value!r}; expected a section with keys; give it keys, or "
                "delete the line"
            )


def check_save_dir(folder: Path) -> None:
    """Raise a ConfigError if a run cannot be saved to the folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"env.save_dir={folder} cannot be created ({error.strerror}); type env.save_dir=FOLDER"
        ) from error
    if not os.access(folder, os.W_OK):
        raise ConfigError(f"env.save_dir={folder} cannot be written to; type env.save_dir=FOLDER")
    for name in ("best.ckpt", "current.ckpt"):
        if (folder / name).is_dir():
            raise ConfigError(
                f"{folder / name} is a folder, but a checkpoint of this name has to be written; "
                "move it, or type env.save_dir=FOLDER"
            )
