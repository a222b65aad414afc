"""Shifts of word states by other modalities. Each file defines and registers one shift.

``docs/extending.md`` shows how to add a shift.
"""

from mmf_cmsbert.modules.shifts.base import Shift
from mmf_cmsbert.modules.shifts.explanation import ShiftExplanation, ShiftPart
from mmf_cmsbert.modules.shifts.registry import register_shift
from mmf_cmsbert.modules.shifts.utterance import UtteranceShift
from mmf_cmsbert.modules.shifts.word import WordShift

__all__ = [
    "Shift",
    "ShiftExplanation",
    "ShiftPart",
    "UtteranceShift",
    "WordShift",
    "register_shift",
]
