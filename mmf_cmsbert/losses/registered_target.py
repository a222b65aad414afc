"""Register the loss of one target with MMF."""

from collections.abc import Mapping
from typing import Any

import torch
from mmf.common.registry import registry
from torch import Tensor, nn

from mmf_cmsbert.config.schemas.losses import TargetLoss as TargetLossConfig
from mmf_cmsbert.config.schemas.targets import (
    MultilabelTarget,
    RegressionTarget,
    Target,
    label_field,
    main,
    score_field,
)
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.losses.registered import of_output, read_params, with_name
from mmf_cmsbert.losses.regression import sentiment_regression
from mmf_cmsbert.losses.targets import class_cross_entropy, multilabel_cross_entropy

_NAME = "target_loss"


@registry.register_loss(_NAME)
class TargetLoss(nn.Module):
    """``weight`` times the loss of one target, which follows from the target's kind.

    Of a number: its absolute, squared or smooth error. Of classes: cross entropy. Of several
    labels: binary cross entropy. Unknown labels are left out. A dataset without the target gives 0.

    Args:
        target: the target's name; None for the main target of a batch's dataset.
        weight: weight of the loss in the sum of losses, >= 0.
        kind: of a number: ``l1``, ``mse`` or ``smooth_l1``.
        label_smoothing: of classes and labels: probability moved from the true answer, in [0, 1).
        class_weights: ``none``, ``balanced``, or a weight for each class or label.

    Raises:
        ConfigError: a param is unknown or has the wrong type, or weights and classes differ in
            number.
    """

    config_schema = TargetLossConfig

    def __init__(self, **params: Any):
        super().__init__()
        self.params = read_params(TargetLossConfig, _NAME, params)

    def forward(
        self, sample_list: Mapping[str, Any], model_output: Mapping[str, Any]
    ) -> dict[str, Tensor]:
        name, target = self._target(str(sample_list["dataset_name"]))
        if target is None:  # MMF adds up the losses of several datasets by their names
            zero = torch.zeros((), device=sample_list["targets"].device)
            return {name: zero}
        key = self.params.target
        scores = of_output(_NAME, model_output, score_field(key))
        labels = sample_list[label_field(key)]
        with with_name(f"{_NAME} of {name}"):
            loss = self._loss(scores, labels, target, self._weights(sample_list, name, target))
        return {name: self.params.weight * loss}

    def _target(self, dataset: str) -> tuple[str, Target | None]:
        targets = registry.get(f"{dataset}_targets", no_warning=True)
        if not targets:
            raise ConfigError(
                f"loss {_NAME}: dataset {dataset} defines no targets; use a loss of MMF, or a "
                "dataset of this package"
            )
        name = self.params.target or main(targets)[0]
        return name, targets.get(name)

    def _loss(
        self, scores: Tensor, labels: Tensor, target: Target, weights: Tensor | None
    ) -> Tensor:
        if isinstance(target, RegressionTarget):
            return sentiment_regression(scores, labels, self.params.kind)
        smoothing = self.params.label_smoothing
        if isinstance(target, MultilabelTarget):
            return multilabel_cross_entropy(scores, labels, smoothing, weights)
        return class_cross_entropy(scores, labels, smoothing, weights)

    def _weights(self, sample_list: Mapping[str, Any], name: str, target: Target) -> Tensor | None:
        chosen = self.params.class_weights
        if chosen == "none":
            return None
        if isinstance(target, RegressionTarget):
            raise ConfigError(
                f"loss {_NAME}: class_weights is {chosen}, but {name} is a number; expected none"
            )
        if chosen == "balanced":
            # Registered with the training split. A run without it only evaluates.
            weights = registry.get(f"{sample_list['dataset_name']}_balanced", no_warning=True)
            return (weights or {}).get(name)
        if len(chosen) != len(target.names):
            raise ConfigError(
                f"loss {_NAME}: class_weights has {len(chosen)} numbers for {name}; expected "
                f"{len(target.names)}, for {', '.join(target.names)}"
            )
        return torch.tensor(chosen)
