"""Embeddings of the modalities from stock models, for losses that align them.

MMF's models return scores, but no embeddings of text and regions. If
`model_config.<model>.modality_embeddings` names the modules that compute them, `embeddings` and
`embedding_masks` are added to the model's output. The projections are trained and saved with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from mmf.utils import build
from omegaconf import OmegaConf
from torch import Tensor, nn

from mmf_cmsbert.compat.imports import replace_function
from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.config.schemas.modality_embeddings import ModalityEmbeddings
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.tapped_embeddings import TappedEmbeddings

_SECTION = "modality_embeddings"


@patch(
    "mmf.utils.build.build_model",
    why="No stock model returns embeddings of its modalities.",
    remove_when="MMF's models return them.",
)
def add_modality_embeddings() -> None:
    replace_function(build, "build_model", _with_embeddings)


def _with_embeddings(original: Any) -> Any:
    def build_model(config: Any, *args: Any, **kwargs: Any) -> nn.Module:
        model = original(config, *args, **kwargs)
        section = getattr(config, "get", lambda key: None)(_SECTION)
        if section is not None:
            _attach(model, section, f"model_config.{config.model}.{_SECTION}")
        return model

    return build_model


def _attach(model: Any, section: Any, key: str) -> None:
    given = read(ModalityEmbeddings, OmegaConf.to_container(section, resolve=True), key)
    with _named(key):
        tapped = TappedEmbeddings(
            model,
            {modality: part.module for modality, part in given.parts.items()},
            {modality: part.width for modality, part in given.parts.items()},
            given.dim,
        )
    model.modality_embeddings = tapped
    model.register_forward_hook(_add_embeddings)
    if hasattr(model, "get_optimizer_parameters"):
        model.get_optimizer_parameters = MethodType(_with_projections, model)


def _add_embeddings(model: Any, inputs: tuple[Any, ...], output: dict[str, Any]) -> None:
    sample_list = inputs[0]
    found = {m: _mask(sample_list, m) for m in model.modality_embeddings.parts}
    masks = {m: mask for m, mask in found.items() if mask is not None}
    with _named(f"model_config.{model.config.model}.{_SECTION}"):
        output["embeddings"] = model.modality_embeddings(masks)
    output["embedding_masks"] = {m: mask.any(1) for m, mask in masks.items()}


def _mask(sample_list: Any, modality: str) -> Tensor | None:
    """Return which positions of the batch are word pieces, or regions: `(batch, positions)`."""
    if modality == "text":
        return sample_list["input_mask"].bool() if "input_mask" in sample_list else None
    count = getattr(getattr(sample_list, "image_info_0", None), "max_features", None)
    if count is None:
        return None
    regions = sample_list["image_feature_0"].shape[1]
    return torch.arange(regions, device=count.device) < count[:, None]


def _with_projections(self: Any, config: Any) -> list[dict[str, Any]]:
    groups = list(type(self).get_optimizer_parameters(self, config))
    return [*groups, {"params": list(self.modality_embeddings.parameters())}]


@contextmanager
def _named(key: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from error
