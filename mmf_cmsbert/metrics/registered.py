"""The metrics under their MMF names, for `evaluation.metrics`."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.modules.metrics import BaseMetric
from torch import Tensor

from mmf_cmsbert.config.schemas.targets import (
    RegressionTarget,
    Target,
    label_field,
    main,
    score_field,
)
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.metrics.class_scores import CLASS_METRICS
from mmf_cmsbert.metrics.fitting import KINDS, misfit
from mmf_cmsbert.metrics.multilabel_scores import MULTILABEL_METRICS
from mmf_cmsbert.metrics.sentiment import METRICS, corr, mae, mse, response, rounded_accuracy
from mmf_cmsbert.metrics.sims import SIMS_METRICS

_FUNCTIONS = METRICS | SIMS_METRICS | CLASS_METRICS
_FUNCTIONS |= {"regression_mae": mae, "regression_corr": corr, "regression_mse": mse}


class TargetMetric(BaseMetric):
    """The metric `metric` of one target of a dataset. MMF passes the whole split at once.

    Args:
        target: the name of the target; None for the dataset's main target.

    Raises:
        ConfigError: the target is of another kind, or the scores have another shape.
    """

    metric: str

    def __init__(self, target: str | None = None) -> None:
        super().__init__(self.metric)
        self.target = target
        self.required_params = [score_field(target), label_field(target)]

    def calculate(
        self,
        sample_list: Mapping[str, Any],
        model_output: Mapping[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        score_name, label_name = self.required_params
        scores = model_output[score_name]
        target = self._definition(sample_list)
        try:
            value = self.compute(scores, sample_list[label_name], target)
        except ValueError as error:
            raise ConfigError(
                f"metric {self.metric}: {error} (predictions are the model's `{score_name}`, "
                f"labels the dataset's `{label_name}`); remove it from evaluation.metrics, or use "
                f"a model with a head for a target of kind {KINDS[self.metric]}"
            ) from error
        # On the model's device, because MMF averages over processes there.
        return torch.tensor(value, device=scores.device)

    def compute(self, scores: Tensor, labels: Tensor, target: Target | None) -> float:
        """Return the value; ``target`` is None if the dataset does not define its targets.

        Raises:
            ValueError: the scores have another shape.
        """
        return _FUNCTIONS[self.metric](scores, labels)

    def _definition(self, sample_list: Mapping[str, Any]) -> Target | None:
        dataset = sample_list.get("dataset_name")
        targets = registry.get(f"{dataset}_targets", no_warning=True)
        if not targets:
            return None
        name = self.target or main(targets)[0]
        target: Target | None = targets.get(name)
        if target is not None and (why := misfit(self.metric, name, target)):
            raise ConfigError(f"metric {self.metric}: {why}")
        return target


class RoundedAccuracy(TargetMetric):
    """Share of segments with equal whole numbers within the target's limits."""

    metric = "regression_accuracy"

    def compute(self, scores: Tensor, labels: Tensor, target: Target | None) -> float:
        if not isinstance(target, RegressionTarget):
            raise ValueError("the dataset does not define the limits of its labels")
        return rounded_accuracy(scores, labels, target.low, target.high)


class Response(TargetMetric):
    """Slope of a target's predictions on labels: how far they follow these.

    Args:
        target: the name of the target that is predicted; None for the dataset's main target.
        of: the name of the target with the labels; None for the same target.
    """

    metric = "regression_response"

    def __init__(self, target: str | None = None, of: str | None = None) -> None:
        super().__init__(target)
        if of is not None:
            self.required_params[1] = label_field(of)

    def compute(self, scores: Tensor, labels: Tensor, target: Target | None) -> float:
        return response(scores, labels)


class MultilabelMetric(TargetMetric):
    """A metric of several labels.

    Args:
        target: the name of the target; None for the dataset's main target.
        label: the name of a label to score; None for the mean over the labels.
    """

    def __init__(self, target: str | None = None, label: str | None = None) -> None:
        super().__init__(target)
        self.label = label

    def compute(self, scores: Tensor, labels: Tensor, target: Target | None) -> float:
        found = MULTILABEL_METRICS[self.metric](scores, labels)
        if self.label is not None:
            names = list(target.names) if target is not None else []
            if self.label not in names:
                raise ValueError(
                    f"label is {self.label!r}; expected one of {', '.join(names) or 'none'}"
                )
            return found[names.index(self.label)]
        known = [value for value in found if not math.isnan(value)]
        return math.fsum(known) / len(known) if known else math.nan


for _name in _FUNCTIONS:
    registry.register_metric(_name)(type(_name, (TargetMetric,), {"metric": _name}))
for _name in MULTILABEL_METRICS:
    registry.register_metric(_name)(type(_name, (MultilabelMetric,), {"metric": _name}))
for _class in (RoundedAccuracy, Response):
    registry.register_metric(_class.metric)(_class)
