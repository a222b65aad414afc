"""The network in plain PyTorch: shifting, frame encoders, pooling, projection. Imports no MMF."""

from mmf_cmsbert.modules.frame_encoder import FrameEncoder
from mmf_cmsbert.modules.network import CMSBert, CMSBertOutput
from mmf_cmsbert.modules.utterance_shift import UtteranceShift
from mmf_cmsbert.modules.weight_average import WeightAverage
from mmf_cmsbert.modules.word_shift import WordShift

__all__ = [
    "CMSBert",
    "CMSBertOutput",
    "FrameEncoder",
    "UtteranceShift",
    "WeightAverage",
    "WordShift",
]
