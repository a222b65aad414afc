"""The processor that lets MMF's own models read these datasets, as MMF finds it by name."""

from collections.abc import Mapping
from typing import Any

from mmf.common.registry import registry
from mmf.datasets.processors.processors import BaseProcessor

from mmf_cmsbert.config_check import check_keys
from mmf_cmsbert.datasets.segment import MODALITIES
from mmf_cmsbert.errors import ConfigError
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

    def __init__(self, config: Mapping, *args: Any, key: str = "params", **kwargs: Any):
        super().__init__(config, *args, **kwargs)
        check_keys(config, dict.fromkeys(("modality", "count")), key)
        self.modality, self.count = config.get("modality"), config.get("count")
        if self.modality not in MODALITIES:
            raise ConfigError(
                f"{key}.modality is {self.modality!r}; expected one of {', '.join(MODALITIES)}"
            )
        if type(self.count) is not int or self.count < 1:
            raise ConfigError(
                f"{key}.count is {self.count!r}; expected how many regions a segment has, from 1"
            )

    def __call__(self, item: Mapping, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return as_regions(item[self.modality], self.count)
