"""The metrics of alignment under their MMF names, for `evaluation.metrics`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmf.common.registry import registry
from mmf.modules.metrics import BaseMetric
from torch import Tensor

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.metrics.alignment import PAIR_METRICS, calibration_error

_TEXT = "text"


class AlignmentMetric(BaseMetric):
    """A metric of the embeddings of two modalities over the whole split.

    Segments that lack one of them are left out. Needs ``embeddings`` and ``embedding_masks`` in the
    model's output, as :class:`~mmf_cmsbert.models.cmsbert.CMSBERT` has them.

    Args:
        pair: two modalities; None for text with each other one, of which the mean is taken. A
            model of text alone has no pair, and the value is NaN.
    """

    metric: str

    def __init__(self, pair: Sequence[str] | None = None) -> None:
        super().__init__(self.metric)
        if pair is not None and (isinstance(pair, str) or len(set(pair)) != 2 or len(pair) != 2):
            raise ConfigError(
                f"metric {self.metric}: params.pair is {pair!r}; expected two modalities, as in "
                "[text, acoustic]"
            )
        self.pair = None if pair is None else tuple(pair)
        self.required_params = ["embeddings", "embedding_masks"]

    def calculate(
        self,
        sample_list: Mapping[str, Any],
        model_output: Mapping[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        embeddings, masks = (model_output[name] for name in ("embeddings", "embedding_masks"))
        for name in self.pair or ():
            if name not in embeddings:
                raise ConfigError(
                    f"metric {self.metric}: params.pair names {name}, and the model has embeddings "
                    f"of {', '.join(embeddings)}"
                )
        pairs = [self.pair] if self.pair else [(_TEXT, m) for m in embeddings if m != _TEXT]
        values = []
        for one, other in pairs:
            both = masks[one].bool() & masks[other].bool()
            value = self.compute(embeddings[one][both], embeddings[other][both], model_output)
            if not math.isnan(value):
                values.append(value)
        mean = math.fsum(values) / len(values) if values else math.nan
        return torch.tensor(mean, device=next(iter(embeddings.values())).device)

    def compute(self, a: Tensor, b: Tensor, output: Mapping[str, Any]) -> float:
        """Return the value for the segments that have both modalities."""
        return PAIR_METRICS[self.metric](a, b)


@registry.register_metric("alignment_calibration_error")
class CalibrationError(AlignmentMetric):
    """Calibration error of the match probabilities at the model's temperature.

    Args:
        pair: as for :class:`AlignmentMetric`.
        candidates: see :func:`~mmf_cmsbert.metrics.alignment.calibration_error`; such as
            ``training.batch_size``.
    """

    metric = "alignment_calibration_error"

    def __init__(self, pair: Sequence[str] | None = None, candidates: int | None = None) -> None:
        super().__init__(pair)
        if candidates is not None and candidates < 2:
            raise ConfigError(
                f"metric {self.metric}: params.candidates is {candidates}; expected at least 2, or "
                "null for the whole split"
            )
        self.candidates = candidates
        self.required_params.append("temperature")

    def compute(self, a: Tensor, b: Tensor, output: Mapping[str, Any]) -> float:
        return calibration_error(a, b, float(output["temperature"]), self.candidates)


for _name in PAIR_METRICS:
    registry.register_metric(_name)(type(_name, (AlignmentMetric,), {"metric": _name}))
