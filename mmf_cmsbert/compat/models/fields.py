"""Fields whose names or forms differ between datasets and stock models."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from mmf.models.base_model import BaseModel
from mmf.models.fusions import ConcatBERT
from mmf.models.vilbert import ViLBERT
from omegaconf import OmegaConf

from mmf_cmsbert.compat.patch import patch
from mmf_cmsbert.errors import ConfigError

# Model -> the keys of the number of regions (None if it can vary), and of their width.
_SIZES = {
    "visual_bert": (None, "visual_embedding_dim"),
    "vilbert": (None, "v_feature_size"),
    "mmbt": (None, "modal_encoder.params.in_dim"),
    "concat_bert": ("num_features", "modal_encoder.params.in_dim"),
    "late_fusion": ("num_features", "modal_encoder.params.in_dim"),
}


@patch(
    "mmf.models.fusions.ConcatBERT.forward",
    "rc10",
    why="It reads image_features_0; datasets and all other models use image_feature_0.",
    remove_when="support for rc10 ends.",
)
def read_image_feature() -> bool:
    if "image_features_0" not in ConcatBERT.forward.__code__.co_names:
        return False
    ConcatBERT.forward = _with_features(ConcatBERT.forward)
    return True


@patch(
    "mmf.models.vilbert.ViLBERT.get_image_and_text_features",
    "rc10",
    why="It expects boxes in pixels; main, and our recipes, use fractions of the image's size.",
    remove_when="support for rc10 ends.",
)
def accept_relative_boxes() -> bool:
    read = ViLBERT.get_image_and_text_features
    if "image_width" not in read.__code__.co_consts:
        return False
    ViLBERT.get_image_and_text_features = _with_boxes(read)
    return True


@patch(
    "mmf.models.base_model.BaseModel.__call__",
    why="Regions of the wrong width raise torch's error about matrix shapes, which does not name "
    "the dataset or the key.",
    remove_when="MMF checks the shapes of its inputs.",
)
def check_regions() -> None:
    # `forward` cannot be replaced, because main compiles it with torch.jit.
    BaseModel.__call__ = _checking(BaseModel.__call__)


def _with_features(original: Any) -> Any:
    def forward(self: ConcatBERT, sample_list: Any) -> dict[str, Any]:
        if "image_feature_0" in sample_list and "image_features_0" not in sample_list:
            sample_list.image_features_0 = sample_list.image_feature_0
        return original(self, sample_list)

    return forward


def _with_boxes(original: Any) -> Any:
    def get_image_and_text_features(self: ViLBERT, sample_list: Any) -> dict[str, Any]:
        info: Any = getattr(sample_list, "image_info_0", None)
        boxes: Any = getattr(info, "bbox", None)
        if getattr(boxes, "ndim", 0) != 3 or boxes.shape[-1] != 5:
            return original(self, sample_list)
        # With an image of size 1 by 1 the fractions are not changed.
        one = [1.0] * len(boxes)
        sample_list.image_info_0 = SimpleNamespace(
            max_features=info.max_features,
            bbox=boxes[..., :4].cpu().numpy(),
            image_width=one,
            image_height=one,
        )
        try:
            return original(self, sample_list)
        finally:
            sample_list.image_info_0 = info

    return get_image_and_text_features


def _checking(original: Any) -> Any:
    def call(self: BaseModel, sample_list: Any, *args: Any, **kwargs: Any) -> Any:
        _check_size(getattr(self, "config", None), sample_list)
        return original(self, sample_list, *args, **kwargs)

    return call


def _check_size(config: Any, sample_list: Any) -> None:
    """Raise a ConfigError if the batch's regions have another number or width than configured."""
    name = config.get("model") if isinstance(config, Mapping) else None
    if name not in _SIZES or "image_feature_0" not in sample_list:
        return
    if not config.get("direct_features_input", True):
        return
    _, *found = sample_list["image_feature_0"].shape
    if len(found) != 2:  # several images per sample, or one vector
        return
    for size, key in zip(found, _SIZES[name], strict=False):
        expected = OmegaConf.select(config, key) if key else None
        if expected not in (None, size):
            raise ConfigError(
                f"model_config.{name}.{key} is {expected}, but the regions of dataset "
                f"{sample_list['dataset_name']} have the size {' x '.join(map(str, found))} "
                f"(regions x width). Set {key} to the size of the regions, which must be the same "
                "in all datasets that are trained together"
            )
