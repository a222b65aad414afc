"""The features of every trainer of this package, in method resolution order."""

from mmf_cmsbert.trainers.counted_updates import CountedUpdates
from mmf_cmsbert.trainers.ending import EndsOnSignals
from mmf_cmsbert.trainers.evaluation import EvaluatesEachDataset
from mmf_cmsbert.trainers.exact_resume import ResumesExactly
from mmf_cmsbert.trainers.exporting import ExportsModel
from mmf_cmsbert.trainers.extractors import ChecksExtractors
from mmf_cmsbert.trainers.finite_scores import RefusesBrokenScores
from mmf_cmsbert.trainers.history_keeping import KeepsHistory
from mmf_cmsbert.trainers.precision import ComputesInPrecision
from mmf_cmsbert.trainers.progress import ShowsProgress
from mmf_cmsbert.trainers.record_keeping import KeepsRecord
from mmf_cmsbert.trainers.reporting import WritesReport
from mmf_cmsbert.trainers.run_checks import ChecksRun
from mmf_cmsbert.trainers.several_processes import SeveralProcesses
from mmf_cmsbert.trainers.summary import ShowsSummary
from mmf_cmsbert.trainers.thread_choice import ChoosesThreads
from mmf_cmsbert.trainers.tracking import TracksRun


class RunFeatures(
    ShowsSummary,  # after the features that write into the run's folder
    WritesReport,  # after the model, which it reads
    ExportsModel,  # after the record, whose scores it keeps
    KeepsRecord,  # outside the rest, so that it records the scores of all processes
    KeepsHistory,  # writes into the record's folder
    TracksRun,  # reports what KeepsHistory measures
    EndsOnSignals,  # before SeveralProcesses, which gives it the ranks
    CountedUpdates,  # before the features that read training.max_updates
    SeveralProcesses,
    RefusesBrokenScores,
    EvaluatesEachDataset,
    ChecksRun,
    ChecksExtractors,  # reads the loaded datasets
    ResumesExactly,
    ComputesInPrecision,
    ChoosesThreads,
    ShowsProgress,
):
    """Base class placed before a trainer class; each feature calls the next by ``super()``."""
