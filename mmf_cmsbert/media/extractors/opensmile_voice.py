"""The voice by openSMILE: the 25 low-level descriptors of eGeMAPSv02."""

import warnings

import numpy as np

from mmf_cmsbert.media.extractor import Voice, library
from mmf_cmsbert.media.registry import register_extractor
from mmf_cmsbert.media.signals import Frames, Sound, finite_frames


@register_extractor("opensmile")
class OpensmileVoice(Voice):
    """100 frames per second (Eyben et al., IEEE Transactions on Affective Computing 7, 2016)."""

    packages = ("opensmile",)
    licence = (
        "openSMILE: audEERING's research licence. Free for private use, research and education; "
        "commercial use needs a licence of audEERING."
    )
    rate = 100.0

    def __init__(self) -> None:
        opensmile = library("opensmile", "opensmile", "--voice opensmile")
        self._smile = opensmile.Smile(
            feature_set=opensmile.FeatureSet.eGeMAPSv02,
            feature_level=opensmile.FeatureLevel.LowLevelDescriptors,
        )
        self.columns = tuple(self._smile.feature_names)

    def frames(self, sound: Sound) -> Frames:
        if not len(sound.samples):
            return finite_frames(np.empty((0, len(self.columns))), [], self.columns)
        with warnings.catch_warnings():  # a sound that is too short gives NaN, left out below
            warnings.simplefilter("ignore", UserWarning)
            found = self._smile.process_signal(sound.samples, sound.rate)
        starts = found.index.get_level_values("start").total_seconds().to_numpy()
        return finite_frames(found.to_numpy(), starts + 0.5 / self.rate, self.columns)
