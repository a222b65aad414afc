"""The parts of an exported model that come from its run: configuration, weights, record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmf_cmsbert import __version__
from mmf_cmsbert.checkpoints.model_folder import ModelConfig, Preparation
from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.config.trained import datasets
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.shifts.registry import shift_named

MODEL = "cmsbert"
_OF_THE_RUN = ("command", "seed", "commit", "code_sha256", "data", "extractors")
_OF_ITS_BEST = ("best", "validation", "test")


def model_config(
    config: Mapping[str, Any],
    training: Mapping[str, Any],
    backbone: Mapping[str, Any],
    temperature: float,
) -> ModelConfig:
    """Return the configuration of an exported model.

    Args:
        config: the run's configuration, plain containers without references.
        training: the record of the training, see :func:`training_of`.
        backbone: the configuration of the text encoder.
        temperature: the temperature of the contrastive similarities after training.

    Raises:
        ConfigError: a dataset has no word pieces, the datasets have several tokenizers, or the
            shift is not registered.
    """
    sections = {name: config["dataset_config"][name] for name in datasets(config)}
    given = dict(config["model_config"][MODEL])
    given["features"] = given.get("features") or {n: s["features"] for n, s in sections.items()}
    declared = {name: section.get("targets") for name, section in sections.items()}
    given["targets"] = given.get("targets") or (declared if any(declared.values()) else None)
    model = read(CMSBERTConfig, given, f"model_config.{MODEL}")
    synthetic = [name for name, section in sections.items() if section.get("synthetic")]
    return ModelConfig.model_validate(
        {
            "library_version": __version__,
            "model": model,
            "shift_class": _shift_class(model.shift.context, config),
            # Without its path on this machine.
            "backbone": {k: v for k, v in backbone.items() if k != "_name_or_path"},
            "temperature": temperature,
            "tokenizer": _tokenizer(sections),
            "datasets": {name: _preparation(name, each) for name, each in sections.items()},
            "training": {**training, "synthetic": synthetic},
        }
    )


def training_of(record: Mapping[str, Any], of_best: bool) -> dict[str, Any]:
    """Return the entries of a run's record that are saved with an exported model.

    Args:
        record: the content of ``run.json``.
        of_best: whether the model is the scored one; otherwise scores are omitted.
    """
    keys = (*_OF_THE_RUN, *_OF_ITS_BEST) if of_best else _OF_THE_RUN
    return {key: record[key] for key in keys if record.get(key) is not None}


def _shift_class(context: str, config: Mapping[str, Any]) -> str | None:
    """Return the class of a shift from another package; None for one of this package."""
    key = f"model_config.{MODEL}.shift.context"
    try:
        found = shift_named(context, key)
    except ConfigError as error:
        user_dir = (config.get("env") or {}).get("user_dir") or "FOLDER"
        raise ConfigError(
            f"{key} is {context!r}, which no imported package registers; type --user-dir "
            f"{user_dir}, the run's env.user_dir"
        ) from error
    if found is None or found.__module__.split(".")[0] == "mmf_cmsbert":
        return None
    return f"{found.__module__}.{found.__qualname__}"


def _tokenizer(sections: Mapping[str, Any]) -> str:
    found = {name: _word_params(name, section)["tokenizer"] for name, section in sections.items()}
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name}: {tokenizer}" for name, tokenizer in found.items())
        raise ConfigError(
            f"the datasets have different tokenizers ({listed}), but an exported model has only "
            "one; train with the same processors.word_processor.params.tokenizer for all of them"
        )
    return next(iter(found.values()))


def _preparation(name: str, section: Mapping[str, Any]) -> Preparation:
    known = {key: section[key] for key in Preparation.model_fields if key in section}
    params = _word_params(name, section)
    return Preparation.model_validate(known | {"max_seq_length": params["max_seq_length"]})


def _word_params(name: str, section: Mapping[str, Any]) -> Mapping[str, Any]:
    key = "processors.word_processor.params"
    node: Any = section
    for part in key.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping) or not {"tokenizer", "max_seq_length"} <= set(node):
        raise ConfigError(
            f"dataset_config.{name} has no {key} with tokenizer and max_seq_length, which an "
            "exported model needs"
        )
    return node
