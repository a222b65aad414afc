"""The network in plain PyTorch, without MMF: shifting, frame encoders, pooling, projection."""

from mmf_cmsbert.modules.frame_encoder import FrameEncoder
from mmf_cmsbert.modules.network import SentimentNetwork
from mmf_cmsbert.modules.network_output import NetworkOutput
from mmf_cmsbert.modules.shifts import Shift, UtteranceShift, WordShift, register_shift
from mmf_cmsbert.modules.weight_average import WeightAverage

__all__ = [
    "SentimentNetwork",
    "NetworkOutput",
    "FrameEncoder",
    "Shift",
    "UtteranceShift",
    "WeightAverage",
    "WordShift",
    "register_shift",
]
