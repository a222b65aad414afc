"""Check that metrics and losses fit the targets of the datasets in use."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmf_cmsbert.config.schemas.cmsbert import CMSBERTConfig
from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.names import unknown_key
from mmf_cmsbert.config.schemas.targets import Target, main
from mmf_cmsbert.config.schemas.validation import Problem, problems
from mmf_cmsbert.metrics.fitting import ALIGNMENT_METRICS, KINDS, misfit, params

# Dataset -> its targets.
_Targets = Mapping[str, Mapping[str, Target]]
_METRICS = "evaluation.metrics"


def of_metrics(metrics: Any, targets: _Targets) -> list[Problem]:
    """Return the problems of ``evaluation.metrics``.

    Args:
        metrics: the value of the key.
        targets: dataset -> targets, of the datasets of this package in use.
    """
    entries = metrics if isinstance(metrics, Sequence) and not isinstance(metrics, str) else []
    found = [text for entry in entries for text in _of_metric(entry, targets)]
    return [Problem(_METRICS, f"{_METRICS}: {text}") for text in found]


def of_model(section: Any, targets: Mapping[str, Any], key: str) -> list[Problem]:
    """Return the problems of ``model_config.cmsbert`` with the targets of the datasets.

    Args:
        section: the model's section, without problems of its own.
        targets: dataset -> ``dataset_config.<dataset>.targets``.
        key: the dotted key of the section.
    """
    if section.get("targets") is not None or not any(targets.values()):
        return []
    return problems(CMSBERTConfig, {**section, "targets": dict(targets)}, key)


def predicted(schema: type[SentimentDatasetConfig], section: Any) -> dict[str, Target]:
    """Return the targets of a dataset's section that has no problems."""
    return schema.model_validate(section).predicted


def _of_metric(entry: Any, targets: _Targets) -> Iterator[str]:
    given: Any = {"type": entry} if isinstance(entry, str) else entry
    name = given.get("type") if isinstance(given, Mapping) else None
    if name not in KINDS and name not in ALIGNMENT_METRICS:
        return  # of MMF or of another package
    typed = given.get("params") or {}
    for key in typed:
        if key not in params(name):
            yield unknown_key(f"{name}.params", key, params(name))
    if name in ALIGNMENT_METRICS:
        return
    wanted, label, of = (typed.get(key) for key in ("target", "label", "of"))
    for dataset in given.get("datasets") or targets:
        own = targets.get(dataset)
        if own is None:
            continue
        chosen = wanted or main(own)[0]
        if chosen not in own:
            yield (
                f"{name} scores the target {chosen}, which dataset {dataset} does not have; "
                f"expected one of {', '.join(own)}, or datasets: [NAME] to limit the metric to "
                "other datasets"
            )
        elif why := misfit(name, chosen, own[chosen]):
            yield f"{name} does not fit dataset {dataset}: {why}"
        elif of is not None and (of not in own or own[of].kind != "regression"):
            numbers = [each for each, target in own.items() if target.kind == "regression"]
            yield f"{name}.params.of is {of!r}; expected one of {', '.join(numbers)}"
        elif label is not None and label not in own[chosen].names:
            yield (
                f"{name}.params.label is {label!r}; expected one of {', '.join(own[chosen].names)}"
            )
