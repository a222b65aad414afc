"""Metrics and the criterion of early stopping, from the targets of the datasets in use."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf
from pydantic import ValidationError

from mmf_cmsbert.config import definitions
from mmf_cmsbert.config.schemas.targets import Target, main
from mmf_cmsbert.metrics.fitting import is_minimized, suggested

_METRICS = "evaluation.metrics"
_CRITERION, _MINIMIZE = "training.early_stop.criteria", "training.early_stop.minimize"


def complete(options: Mapping[str, str], config: Any, datasets: Sequence[str]) -> dict[str, str]:
    """Return options for ``evaluation.metrics`` and ``early_stop.criteria`` that are null.

    Args:
        options: key -> value as typed.
        config: the configuration with its file.
        datasets: the datasets in use.
    """
    found = {name: target for name in datasets if (target := _main_target(config, name))}
    if not found:
        return {}
    metrics = {name: suggested(target) for name, target in found.items()}
    more: dict[str, str] = {}
    if _METRICS not in options and OmegaConf.select(config, _METRICS) is None:
        more[_METRICS] = repr(_entries(metrics))
    if _CRITERION not in options and OmegaConf.select(config, _CRITERION) is None:
        first = next(iter(metrics))
        more[_CRITERION] = f"{first}/{metrics[first][0]}"
        if _MINIMIZE not in options:
            more[_MINIMIZE] = str(is_minimized(metrics[first][0]))
    return more


def _entries(metrics: Mapping[str, Sequence[str]]) -> list[Any]:
    """Return entries of ``evaluation.metrics``, limited to the datasets that they fit."""
    entries: list[Any] = []
    for metric in dict.fromkeys(metric for each in metrics.values() for metric in each):
        fits = [name for name, each in metrics.items() if metric in each]
        limited = {"type": metric, "datasets": fits}
        entries.append(metric if len(fits) == len(metrics) else limited)
    return entries


def _main_target(config: Any, name: str) -> Target | None:
    schema = definitions.find(name)
    section = OmegaConf.select(config, f"dataset_config.{name}.targets")
    if schema is None:
        return None
    given = OmegaConf.to_container(section) if OmegaConf.is_config(section) else section
    try:
        return main(schema.model_validate({"targets": given}).predicted)[1]
    except ValidationError:  # reported when the whole configuration is checked
        return None
