"""Check that names in a configuration are registered with MMF, or defined by torch."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import torch
from mmf.common.registry import registry

from mmf_cmsbert.config.schemas.names import unknown_key, unknown_name
from mmf_cmsbert.errors import ConfigError


def check_run(config: Any, *args: Any, **kwargs: Any) -> None:
    """Check the names of trainer, model, losses, metrics and datasets.

    Args:
        config: the configuration of a run.
        *args: ignored, see :func:`check_model`.
        **kwargs: ignored.

    Raises:
        ConfigError: one of them is unknown.
    """
    _require("trainer", config.training.trainer, registry.mapping["trainer_name_mapping"])
    check_model(config)
    datasets = config.datasets
    if isinstance(datasets, str):
        datasets = [name.strip() for name in datasets.split(",")]
    _require_types("metric", config.evaluation.get("metrics"))
    for name in datasets:
        _require("dataset", name, registry.mapping["builder_name_mapping"])


def check_model(config: Any, *args: Any, **kwargs: Any) -> None:
    """Check the names of a model and its losses; arguments as for MMF's ``build_model``.

    Raises:
        ConfigError: one of them is unknown.
    """
    # main also builds models from other objects than configurations
    if isinstance(getattr(config, "model", None), str):
        _require("model", config.model, registry.mapping["model_name_mapping"])
        _require_types("loss", getattr(config, "losses", None))


def check_optimizer(model: Any, config: Any, *args: Any, **kwargs: Any) -> None:
    """Check an optimizer's name and params; arguments as for MMF's ``build_optimizer``.

    Raises:
        ConfigError: the optimizer does not exist, or does not have an argument of params.
    """
    name = config.optimizer.get("type")
    if name is None:
        raise ConfigError("optimizer.type is missing: type for example optimizer.type=AdamW")
    if not hasattr(torch.optim, name):
        of_torch = {key for key in vars(torch.optim) if key[0].isupper() and key != "Optimizer"}
        _require("optimizer", name, of_torch | set(registry.mapping["optimizer_name_mapping"]))
    made_by = getattr(torch.optim, name, None) or registry.get_optimizer_class(name)
    _require_params("optimizer", made_by, config.optimizer.get("params"))


def check_scheduler(optimizer: Any, config: Any, *args: Any, **kwargs: Any) -> None:
    """Check a scheduler's name and params; arguments as for MMF's ``build_scheduler``.

    Raises:
        ConfigError: the scheduler does not exist, or does not have an argument of params.
    """
    name = config.scheduler.get("type")
    if name is not None:
        _require("scheduler", name, registry.mapping["scheduler_name_mapping"])
        made_by = registry.get_scheduler_class(name)
        _require_params("scheduler", made_by, config.scheduler.get("params"))


def _require(what: str, name: Any, known: Collection[str]) -> None:
    if name not in known:
        hint = "To use names that your own code registers, set env.user_dir to its folder"
        raise ConfigError(f"{unknown_name(what, str(name), known)}. {hint}")


def _require_types(what: str, entries: Any) -> None:
    """Check the names in a list of losses or metrics, each a name or a mapping with a `type`."""
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return
    for entry in entries:
        name = entry.get("type") if isinstance(entry, Mapping) else entry
        _require(what, name, registry.mapping[f"{what}_name_mapping"])


def _require_params(what: str, made_by: Callable[..., Any], params: Any) -> None:
    """Check params against the arguments of a class or function, unless it takes any keyword."""
    _, *arguments = inspect.signature(made_by).parameters.values()  # MMF passes the first one
    if params and not any(each.kind is each.VAR_KEYWORD for each in arguments):
        known = [each.name for each in arguments]
        for key in params:
            if key not in known:
                raise ConfigError(unknown_key(f"{what}.params", key, known))
