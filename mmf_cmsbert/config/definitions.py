"""Datasets by name: those of this package, and those that a YAML file of the user's defines."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mmf_cmsbert.config.schemas.corpora import DATASETS
from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.defined import defined_schema
from mmf_cmsbert.config.schemas.names import unknown_name
from mmf_cmsbert.config.yaml_text import read_yaml
from mmf_cmsbert.errors import ConfigError

Schema = type[SentimentDatasetConfig]
FOLDER = "datasets"
# The definitions in use as JSON, for the processes that a run or an experiment starts.
_ENVIRONMENT = "MMF_CMSBERT_DATASETS"
# A dataset's section in a run's saved configuration has all keys; these show it.
_COMPLETE = ("annotations", "data_dir", "processors", "store_dir")
_defined: dict[str, Schema] = {}
_stamps: dict[str, tuple[str, int]] = {}
_user_dirs: list[Path] = []
_observers: list[Callable[[str, Schema], Any]] = []


def schema_of(name: str) -> Schema:
    """Return the schema of ``dataset_config.<name>``, with the defaults of the dataset.

    Raises:
        ConfigError: there is no such dataset, or its definition is wrong.
    """
    if (found := find(name)) is None:
        raise ConfigError(unknown(name))
    return found


def find(name: str) -> Schema | None:
    """Return the schema of a dataset, or None if neither this package nor a file defines it.

    Raises:
        ConfigError: the file that defines it is wrong.
    """
    if name in DATASETS:
        return DATASETS[name]
    if (file := file_of(name)) is not None:
        stamp = (str(file), file.stat().st_mtime_ns)
        if _stamps.get(name) != stamp:  # new, or edited since in a session of Python
            _define(name, _read(name, file), str(file))
            _stamps[name] = stamp
    elif name not in _defined:
        inherited = json.loads(os.environ.get(_ENVIRONMENT) or "{}")
        if name in inherited:
            _define(name, inherited[name], f"{_ENVIRONMENT} in the environment")
    return _defined.get(name)


def define_as_saved(name: str, section: Any) -> None:
    """Define a dataset as a run's saved configuration has it, unless it is known otherwise.

    So a run can be repeated or evaluated where the definition's file is missing.

    Args:
        name: the dataset.
        section: ``dataset_config.<name>`` of the run.
    """
    if isinstance(section, Mapping) and section.keys() >= set(_COMPLETE) and find(name) is None:
        _define(name, section, f"dataset_config.{name} of the run")


def schema_for(name: str, section: Mapping[str, Any]) -> Schema | None:
    """Return the schema of a saved section; None for a dataset of another package.

    Args:
        name: the dataset.
        section: ``dataset_config.<name>`` of a run.
    """
    define_as_saved(name, section)
    return find(name)


def is_shipped(name: str) -> bool:
    """Return whether a dataset is one of this package."""
    return name in DATASETS


def known() -> list[str]:
    """Return the names of all datasets that can be found."""
    files = (file for folder in _folders() for file in folder.glob("*.yaml"))
    return sorted({*DATASETS, *_defined, *(file.stem for file in files)})


def file_of(name: str) -> Path | None:
    """Return the file that defines a dataset: ``datasets/NAME.yaml``; None if there is none."""
    if not name.isidentifier():
        return None
    places = (folder / f"{name}.yaml" for folder in _folders())
    return next((place.absolute() for place in places if place.is_file()), None)


def search(user_dir: Path) -> None:
    """Look for definitions in the folder ``datasets`` of a package of the user's, too."""
    folder = user_dir.expanduser().absolute()
    if folder.is_dir() and folder not in _user_dirs:
        _user_dirs.append(folder)


def when_defined(observer: Callable[[str, Schema], Any]) -> None:
    """Call ``observer`` with the name and schema of each dataset that a user defines."""
    _observers.append(observer)
    for name in {*_defined, *json.loads(os.environ.get(_ENVIRONMENT) or "{}")}:
        if name in _defined:
            observer(name, _defined[name])
        else:
            find(name)


def unknown(name: str, registered: Iterable[str] = ()) -> str:
    """Return the message for a dataset that is not found.

    Args:
        name: the dataset.
        registered: the names of datasets of MMF and of other packages.
    """
    places = ", ".join(str(folder / f"{name}.yaml") for folder in _folders())
    message = unknown_name("dataset", name, {*known(), *registered})
    return (
        f"{message}. A dataset of your own is defined by a file; looked for {places}. Type: "
        f"cmsbert data new {name} --source PATH"
    )


def _folders() -> list[Path]:
    return [*(folder / FOLDER for folder in _user_dirs), Path.cwd() / FOLDER]


def _read(name: str, file: Path) -> Mapping[str, Any]:
    content = read_yaml(file)
    section = content.get("dataset_config")
    if set(content) != {"dataset_config"} or not isinstance(section, Mapping):
        found = ", ".join(map(str, content)) or "nothing"
        raise ConfigError(f"{file}: found {found}; expected dataset_config: {{{name}: ...}}")
    if set(section) != {name} or not isinstance(section[name], Mapping):
        found = ", ".join(f"dataset_config.{each}" for each in section) or "no dataset"
        raise ConfigError(
            f"{file}: found {found}; expected a section dataset_config.{name}, as the file is named"
        )
    return {
        key: _placed(value) if key == "source" else value for key, value in section[name].items()
    }


def _placed(source: Any) -> Any:
    """Return a source with absolute paths, so that the record of a run names the data."""
    if isinstance(source, list):
        return [_placed(each) for each in source]
    if not isinstance(source, str):
        return source
    path = Path(source).expanduser().absolute()
    return str(path) if path.exists() else source


def _define(name: str, stated: Mapping[str, Any], source: str) -> None:
    schema = defined_schema(name, stated, source)
    _defined[name] = schema
    inherited = json.loads(os.environ.get(_ENVIRONMENT) or "{}")
    os.environ[_ENVIRONMENT] = json.dumps(inherited | {name: stated})
    for observer in _observers:
        observer(name, schema)
