"""The metrics of sentiment and of CH-SIMS under their MMF names, for `evaluation.metrics`."""

from collections.abc import Mapping
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.modules.metrics import BaseMetric

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.metrics.sentiment import METRICS
from mmf_cmsbert.metrics.sims import SIMS_METRICS

_FUNCTIONS = METRICS | SIMS_METRICS


class SentimentMetric(BaseMetric):
    """The function `metric` of `scores` against `targets`.

    Both are (segments,) or (segments, 1). MMF passes the whole split at once.

    Raises:
        ConfigError: the model's scores are not one value per segment.
    """

    metric: str

    def __init__(self) -> None:
        super().__init__(self.metric)

    def calculate(
        self,
        sample_list: Mapping[str, Any],
        model_output: Mapping[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> torch.Tensor:
        scores = model_output["scores"]
        try:
            value = _FUNCTIONS[self.metric](scores, sample_list["targets"])
        except ValueError as error:
            raise ConfigError(
                f"metric {self.metric}: {error} (predictions are the model's `scores`, labels the "
                "dataset's `targets`); remove it from evaluation.metrics, or use a model with a "
                "regression head of width 1"
            ) from error
        # On the model's device, because MMF averages over processes there.
        return torch.tensor(value, device=scores.device)


for _name in _FUNCTIONS:
    registry.register_metric(_name)(type(_name, (SentimentMetric,), {"metric": _name}))
