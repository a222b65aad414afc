"""The processor that lets MMF's own models read these datasets, as MMF finds it by name."""

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
    """For MMF's own models: frames stand in for the regions of an image.

    Takes modality -> ``(frames, width)`` and gives what
    :func:`~mmf_cmsbert.processors.regions.as_regions` gives.

    Args:
        config: ``modality``, visual or acoustic, and ``count``, regions a segment.
        key: the configuration section of ``config``, for messages.

    Raises:
        ConfigError: an unknown key, or a value that cannot be followed.
    """

    config_schema = schemas.FramesAsRegions

    def __init__(self, config: Mapping[str, Any], *args: Any, key: str = "params", **kwargs: Any):
        super().__init__(config, *args, **kwargs)
        params = read(schemas.FramesAsRegions, OmegaConf.to_container(config, resolve=True), key)
        self.modality, self.count = params.modality, params.count

    def __call__(self, item: Mapping[str, Any], *args: Any, **kwargs: Any) -> dict[str, Any]:
        return as_regions(item[self.modality], self.count)
