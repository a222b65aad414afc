"""The registered processor with which MMF's models read these datasets."""

from collections.abc import Mapping
from typing import Any

from mmf.common.registry import registry
from mmf.datasets.processors.processors import BaseProcessor
from omegaconf import OmegaConf

from mmf_cmsbert.config.schemas import processors as schemas
from mmf_cmsbert.config.schemas.validation import read
from mmf_cmsbert.processors.regions import as_regions


@registry.register_processor("frames_as_regions")
class FramesAsRegions(BaseProcessor):
    """Converts frames to image regions, for MMF's models.

    Takes modality -> ``(frames, width)`` and returns the fields of
    :func:`~mmf_cmsbert.processors.regions.as_regions`.

    Args:
        config: ``modality``, visual or acoustic, and ``count``, regions per segment.
        key: the configuration section of ``config``, for messages.

    Raises:
        ConfigError: a key is unknown, or a value is invalid.
    """

    config_schema = schemas.FramesAsRegionsConfig

    def __init__(self, config: Mapping[str, Any], *args: Any, key: str = "params", **kwargs: Any):
        super().__init__(config, *args, **kwargs)
        params = read(
            schemas.FramesAsRegionsConfig, OmegaConf.to_container(config, resolve=True), key
        )
        self.modality, self.count = params.modality, params.count

    def __call__(self, item: Mapping[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        return as_regions(item[self.modality], self.count)
