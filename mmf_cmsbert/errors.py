"""Errors that a command reports by their message only; the exit status is 2 unless stated."""


class ProcessLost(Exception):
    """Another process of a run ended, and the run with it: exit status 1."""


class UserError(Exception):
    """An error in the input; the message says where, the value found, and what to do."""


class ConfigError(UserError):
    """A key or a value of the configuration is wrong."""


class DataError(UserError):
    """A data file is missing, damaged, or contradicts the configuration."""


class ScoresNotFiniteError(DataError):
    """A model's scores for some samples are NaN or infinite.

    Args:
        where: which scores, for the message.
        consequence: a sentence to add to it.
    """

    def __init__(self, where: str, consequence: str = ""):
        super().__init__(
            f"The model's scores are NaN or infinite ({where}). The weights are finite; look at "
            "the frames of these samples (cmsbert data inspect), and at training.precision."
            f"{consequence and ' '}{consequence}"
        )


class SegmentError(DataError):
    """One segment of a corpus cannot be used; the others can."""


class DuplicateSegment(SegmentError):
    """A segment has the id of an earlier one, ``segment_id``."""

    def __init__(self, message: str, segment_id: str):
        super().__init__(message)
        self.segment_id = segment_id
