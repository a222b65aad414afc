"""Register the losses with MMF, for `model_config.<model>.losses` of any MMF model.

They have no parameters, because MMF 1.0.0rc10 keeps losses in a plain list: parameters would be
neither moved to the device, trained nor saved.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from mmf.common.registry import registry
from omegaconf import OmegaConf
from torch import Tensor, nn

from mmf_cmsbert.config.schemas.losses import (
    ClassificationLoss,
    ContrastiveLoss,
    RegressionLoss,
)
from mmf_cmsbert.config.schemas.validation import Schema, read
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.losses.classification import sentiment_cross_entropy
from mmf_cmsbert.losses.contrastive import multimodal_contrastive
from mmf_cmsbert.losses.gathering import STAND_IN, gather, train_together
from mmf_cmsbert.losses.regression import sentiment_regression
from mmf_cmsbert.modules.precision import full_precision


@registry.register_loss("sentiment_regression")
class SentimentRegression(nn.Module):
    """Error of the model's ``scores``, ``(batch,)`` or ``(batch, 1)``, against ``targets``.

    Segments with an unknown (NaN) target are left out.

    Args:
        kind: ``l1``, ``mse`` or ``smooth_l1``.

    Raises:
        ConfigError: an unknown param or kind.
    """

    config_schema = RegressionLoss

    def __init__(self, **params: Any):
        super().__init__()
        self.params = read_params(RegressionLoss, "sentiment_regression", params)

    def forward(self, sample_list: Mapping[str, Any], model_output: Mapping[str, Any]) -> Tensor:
        scores = of_output("sentiment_regression", model_output, "scores")
        with with_name("sentiment_regression"):
            return sentiment_regression(scores, sample_list["targets"], self.params.kind)


@registry.register_loss("sentiment_classification")
class SentimentClassification(nn.Module):
    """Cross entropy of the model's ``logits``, or else ``scores``, ``(batch, classes)``.

    The number of classes is 2, 5 or 7. The dataset's ``targets``, sentiment in [-3, 3], are
    converted to classes.

    Args:
        label_smoothing: probability moved from the true class to all classes, in [0, 1).

    Raises:
        ConfigError: a param is unknown, or a value is out of range.
    """

    config_schema = ClassificationLoss

    def __init__(self, **params: Any):
        super().__init__()
        self.params = read_params(ClassificationLoss, "sentiment_classification", params)

    def forward(self, sample_list: Mapping[str, Any], model_output: Mapping[str, Any]) -> Tensor:
        key = "logits" if "logits" in model_output else "scores"
        logits = of_output("sentiment_classification", model_output, key)
        with with_name("sentiment_classification"):
            return sentiment_cross_entropy(
                logits, sample_list["targets"], self.params.label_smoothing
            )


@registry.register_loss("multimodal_contrastive")
class MultimodalContrastive(nn.Module):
    """``weight`` times the symmetric InfoNCE between modalities, averaged over their pairs.

    It also reads ``embedding_masks`` (modality -> false if the segment lacks it) and
    ``embedding_targets`` (modality -> momentum embeddings, the keys) of the model's output, if
    present.

    With several training processes, each contrasts the segments of all processes, so that the loss
    is that of a single process with the whole batch.

    Args:
        pairs: list of [modality, modality]. None: the model's ``contrastive_pairs`` or, if it has
            none, text (without text, the first modality) with each of the others.
        weight: weight of the loss in the sum of losses, >= 0.
        label_smoothing: probability moved from the positive to all keys, in [0, 1).
        embeddings: modality -> key of its ``(batch, dim)`` embedding in the model's output, for
            models that were not written for this loss. None: the model's ``embeddings``.
        temperature: divisor of the similarities, unless the model's output has a ``temperature``.

    Raises:
        ConfigError: a param is unknown, or a value has the wrong type.
    """

    config_schema = ContrastiveLoss

    def __init__(self, **params: Any):
        super().__init__()
        self.params = read_params(ContrastiveLoss, "multimodal_contrastive", params)

    def forward(self, sample_list: Mapping[str, Any], model_output: Mapping[str, Any]) -> Tensor:
        embeddings = self._embeddings(model_output)
        pairs = self._pairs(embeddings, model_output)
        if not pairs:  # the model's other modalities are disabled
            return torch.zeros((), device=sample_list["targets"].device)
        masks = model_output.get("embedding_masks")
        targets = model_output.get("embedding_targets")
        if train_together():
            embeddings, masks, targets = gather(
                embeddings, masks, targets, stand_in=STAND_IN in sample_list
            )
        device = next(iter(embeddings.values())).device
        with with_name("multimodal_contrastive"), full_precision(device):
            loss = multimodal_contrastive(
                embeddings,
                pairs,
                model_output.get("temperature", self.params.temperature),
                self.params.label_smoothing,
                masks,
                targets,
            )
        return self.params.weight * loss

    def _embeddings(self, model_output: Mapping[str, Any]) -> Mapping[str, Tensor]:
        if self.params.embeddings is None:
            return of_output(
                "multimodal_contrastive",
                model_output,
                "embeddings",
                "name them with params.embeddings: {text: <key>, visual: <key>}",
            )
        return {
            modality: of_output("multimodal_contrastive", model_output, key)
            for modality, key in self.params.embeddings.items()
        }

    def _pairs(
        self, embeddings: Mapping[str, Tensor], model_output: Mapping[str, Any]
    ) -> Sequence[tuple[str, str]]:
        if self.params.pairs is not None:
            return [(first, second) for first, second in self.params.pairs]
        if "contrastive_pairs" in model_output:
            return model_output["contrastive_pairs"]
        anchor = "text" if "text" in embeddings else next(iter(embeddings), "")
        return [(anchor, other) for other in embeddings if other != anchor]


def read_params(schema: type[Schema], loss: str, params: Mapping[str, Any]) -> Schema:
    given = OmegaConf.to_container(OmegaConf.create(dict(params)), resolve=True)
    return read(schema, given, "params", source=f"loss {loss}")


def of_output(
    loss: str,
    model_output: Mapping[str, Any],
    key: str,
    hint: str = "correct the key, or use another loss",
) -> Any:
    if key not in model_output:
        raise ConfigError(
            f"loss {loss}: the model's output has no {key!r}, only "
            f"{', '.join(sorted(map(str, model_output)))}; {hint}"
        )
    return model_output[key]


@contextmanager
def with_name(loss: str) -> Iterator[None]:
    """Convert a ValueError of a pure function to a ConfigError that names the loss."""
    try:
        yield
    except ValueError as error:
        raise ConfigError(f"loss {loss}: {error}") from error
