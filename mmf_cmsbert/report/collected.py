"""What a report knows of the scored segments of a run; kept as ``report/segments.json``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from mmf_cmsbert.config.schemas.targets import SENTIMENT, RegressionTarget, Target

FORMAT = 1
Point = tuple[float, float]


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HeatMap(_Kept):
    """The attention of a segment's words over the frames of a modality.

    Attributes:
        frames: number of frames. Where there are more than columns, the shares of neighbouring
            frames are added up.
        largest: the largest share in a cell.
        rows: a character for each cell, of :data:`.heat.DIGITS`: the share as a part of
            ``largest``. A row for each word; empty for a word that was cut off.
        start: seconds into the video at which the frames begin, or None.
        end: seconds into the video at which they end, or None.
    """

    frames: int
    largest: float
    rows: list[str]
    start: float | None = None
    end: float | None = None


class ScoredSegment(_Kept):
    """A segment, its true and its predicted sentiment or other number, class or labels.

    Attributes:
        id: the segment's id.
        words: its words; long ones and long segments are cut.
        label: the true number, None where it is unknown. For classes and labels 0 where the truth
            is known.
        score: what the model gives; it can exceed the limits. For classes and labels the share of
            wrong answers, so that ``score - label`` is the error of every target.
        truth: the true class, or names of labels; None for a number, or where it is unknown.
        answer: the predicted class, or names of labels; None for a number.
        modalities: those with frames.
        shift: size of the shift of each word, None for a word that was cut off.
        shifts: modality -> size of its part of the shift of each word; with a heat map only.
        heat: modality -> heat map, for some of the segments.
    """

    id: str
    words: list[str]
    label: float | None
    score: float
    modalities: list[str]
    truth: str | None = None
    answer: str | None = None
    shift: list[float | None] = []
    shifts: dict[str, list[float | None]] = {}
    heat: dict[str, HeatMap] = {}


class Alignment(_Kept):
    """How well the embeddings of two modalities tell which ones belong to the same segment.

    Attributes:
        one: a modality.
        other: another one.
        count: segments that have both.
        same: mean cosine similarity within a segment.
        different: mean cosine similarity between segments.
        found: share of segments whose embedding in ``one`` is more similar to its own embedding in
            ``other`` than to that of any other segment.
    """

    one: str
    other: str
    count: int
    same: float
    different: float
    found: float


class Embeddings(_Kept):
    """Vectors of the modalities in two dimensions.

    Attributes:
        segments: positions of the segments that are shown.
        before: modality -> points of the pooled states, by a PCA of their own; None for a segment
            without the modality.
        after: modality -> points of the embeddings, by one PCA of all of them together.
        explained: share of the variance in the two dimensions: of each modality before, and under
            ``after``.
        alignments: of each pair of modalities, over all segments.
    """

    segments: list[int]
    before: dict[str, list[Point | None]]
    after: dict[str, list[Point | None]]
    explained: dict[str, float]
    alignments: list[Alignment]


class Part(_Kept):
    """The scored segments of one dataset.

    Attributes:
        dataset: its name.
        split: ``test``, or ``val`` where the run does not score test.
        counts: split -> number of segments, as far as it is known.
        segments: all segments, in the order of the data.
        skipped: messages on segments that could not be used.
        embeddings: None where no segment has vectors.
        synthetic: whether the data is synthetic.
        name: the name of the main target.
        target: the main target.
    """

    dataset: str
    split: str
    counts: dict[str, int]
    segments: list[ScoredSegment]
    skipped: list[str] = []
    embeddings: Embeddings | None = None
    synthetic: bool = False
    name: str = "sentiment"
    target: Target = Field(default=SENTIMENT["sentiment"], discriminator="kind")

    @property
    def is_sentiment(self) -> bool:
        """Whether the main target is a number in [-3, 3]."""
        return isinstance(self.target, RegressionTarget) and self.target == SENTIMENT["sentiment"]

    @property
    def what_errs(self) -> str:
        """What the mean error of segments is called."""
        is_number = isinstance(self.target, RegressionTarget)
        return "mean absolute error" if is_number else "share of wrong answers"


class Collected(_Kept):
    """The segments of all datasets of a run.

    Attributes:
        format: version of this form.
        identity: of the run that they were computed for; see :func:`.collecting.identity`.
        parts: of the datasets.
        missing: why there are none, or not those of all datasets.
    """

    format: int = FORMAT
    identity: str
    parts: list[Part]
    missing: list[str] = []
