"""Check the whole configuration of a run against the schemas."""

from collections.abc import Callable, Mapping
from typing import Any

from mmf_cmsbert.config import target_check
from mmf_cmsbert.config.schemas.added import completed
from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.names import unknown_key
from mmf_cmsbert.config.schemas.section import Section
from mmf_cmsbert.config.schemas.training import OF_MMF, RunConfig
from mmf_cmsbert.config.schemas.validation import Problem, problems, refusal

# Sections of what is registered, by the names in MMF's registry.
_REGISTERED = {"model_config": "model_name_mapping", "dataset_config": "builder_name_mapping"}
# Keys that a file may contain although MMF's defaults do not.
_FILE_ONLY = ("dataset", "learning_rate")


def check(
    config: Mapping[str, Any],
    defaults: Mapping[str, Any],
    stated: Mapping[str, Any],
    source: Callable[[str], str],
    whole: bool,
) -> None:
    """Refuse unknown keys, values of another type, and values outside their range.

    Sections of models and datasets are checked if their class has a ``config_schema``.

    Args:
        config: the configuration of the run, references resolved.
        defaults: the configuration without its file, references unresolved.
        stated: the configuration with its file, without the typed options.
        source: key -> the file that sets it; empty for the command line.
        whole: whether to check all sections, or only those of the model and datasets in use.

    Raises:
        ConfigError: it lists every invalid key and value.
    """
    found = [each for section in _REGISTERED for each in _of_registered(section, config, whole)]
    found += _of_mmf(config, defaults, stated) if whole else []
    found += [] if found else _of_targets(config)
    if found:
        raise refusal(found, source)


def _of_mmf(
    config: Mapping[str, Any], defaults: Mapping[str, Any], stated: Mapping[str, Any]
) -> list[Problem]:
    found = problems(RunConfig, {"run_type": config.get("run_type")}, "")
    for name, value in config.items():
        if name in _REGISTERED:
            continue
        if name not in defaults:
            if name not in _FILE_ONLY:
                found.append(Problem(name, unknown_key("", name, defaults)))
        elif isinstance(defaults[name], Mapping):
            known = dict(defaults[name])
            if name in ("optimizer", "scheduler") and isinstance(stated[name], Mapping):
                # The file determines which params exist, and their types.
                known["params"] = stated[name].get("params")
            schema = completed(OF_MMF.get(name, Section), known, whole=name == "training")
            found += problems(schema, value, name)
    return found


def _of_registered(section: str, config: Mapping[str, Any], whole: bool) -> list[Problem]:
    from mmf.common.registry import registry

    known = registry.mapping[_REGISTERED[section]]
    used = {config["model"]} if section == "model_config" else set(_names(config["datasets"]))
    found = []
    for name, value in config[section].items():
        key = f"{section}.{name}"
        schema = getattr(known.get(name), "config_schema", None)
        if name in used and schema is not None:
            found += problems(schema, value, key)
        elif whole and name not in known:
            found.append(Problem(key, unknown_key(section, name, known)))
    return found


def _of_targets(config: Mapping[str, Any]) -> list[Problem]:
    """Check losses and metrics against the targets of the datasets of this package."""
    from mmf.common.registry import registry

    known = registry.mapping[_REGISTERED["dataset_config"]]
    sections, targets = {}, {}
    for name in _names(config["datasets"]):
        schema = getattr(known.get(name), "config_schema", None)
        if isinstance(schema, type) and issubclass(schema, SentimentDatasetConfig):
            sections[name] = config["dataset_config"][name].get("targets")
            targets[name] = target_check.predicted(schema, config["dataset_config"][name])
    metrics = (config.get("evaluation") or {}).get("metrics")
    found = target_check.of_metrics(metrics, targets)
    model = config["model"]
    if model == "cmsbert":
        key = f"model_config.{model}"
        found += target_check.of_model(config["model_config"][model], sections, key)
    return found


def _names(datasets: Any) -> list[str]:
    return datasets.split(",") if isinstance(datasets, str) else list(datasets)
