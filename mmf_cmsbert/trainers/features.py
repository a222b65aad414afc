"""The features that every trainer of this package has, in their order."""

from mmf_cmsbert.trainers.counted_updates import CountedUpdates
from mmf_cmsbert.trainers.ending import EndsOnSignals
from mmf_cmsbert.trainers.evaluation import EvaluatesEachDataset
from mmf_cmsbert.trainers.exact_resume import ResumesExactly
from mmf_cmsbert.trainers.finite_scores import RefusesBrokenScores
from mmf_cmsbert.trainers.history_keeping import KeepsHistory
from mmf_cmsbert.trainers.precision import ComputesInPrecision
from mmf_cmsbert.trainers.progress import ShowsProgress
from mmf_cmsbert.trainers.record_keeping import KeepsRecord
from mmf_cmsbert.trainers.run_checks import ChecksRun
from mmf_cmsbert.trainers.several_processes import SeveralProcesses


class RunFeatures(
    KeepsRecord,  # records what all processes found together
    KeepsHistory,  # in the folder of the record
    EndsOnSignals,  # one signal to any process is enough
    CountedUpdates,  # before anything reads training.max_updates
    SeveralProcesses,
    RefusesBrokenScores,
    EvaluatesEachDataset,
    ChecksRun,
    ResumesExactly,
    ComputesInPrecision,
    ShowsProgress,
):
    """Goes in front of a trainer class; each feature calls those after it, and MMF's last."""
