"""The shipped datasets: the splits, widths and targets of the files of each corpus.

docs/corpora.md says where each definition comes from.
"""

from typing import Any, Literal

from pydantic import Field

from mmf_cmsbert.config.schemas.datasets import (
    Annotations,
    Features,
    MOSEIConfig,
    MOSIConfig,
    SentimentDatasetConfig,
)
from mmf_cmsbert.config.schemas.targets import (
    ClassesTarget,
    MultilabelTarget,
    RegressionTarget,
    Targets,
)

_SENTIMENT = RegressionTarget(low=-1, high=1)


def _described(key: str, default: Any) -> Any:
    """Return a field with the description of ``key`` and another default."""
    description = SentimentDatasetConfig.model_fields[key].description
    return Field(default, description=description)


def _one(file: str) -> Any:
    """Return ``annotations`` of a file or folder that has all splits."""
    return _described("annotations", Annotations(train=[file], val=[file], test=[file]))


def _widths(**widths: int | None) -> Any:
    return _described("features", widths)


def _classes(*names: str) -> ClassesTarget:
    return ClassesTarget(kind="classes", names=list(names))


class SIMSConfig(SentimentDatasetConfig):
    """CH-SIMS: sentiment in [-1, 1] of Chinese film and television clips, in MMSA's file."""

    annotations: Annotations = _one("sims/unaligned_39.pkl")
    features: Features = _widths(visual=709, acoustic=33)
    targets: Targets | None = _described("targets", {"sentiment": _SENTIMENT})
    non_finite: Literal["error", "zero"] = _described("non_finite", "zero")


class SIMSv2Config(SIMSConfig):
    """CH-SIMS v2(s): the supervised part, 4,402 Chinese clips with sentiment in [-1, 1]."""

    annotations: Annotations = _one("simsv2/ch-simsv2s.pkl")
    features: Features = _widths(visual=177, acoustic=25)


class MOSEIEmotionsConfig(SentimentDatasetConfig):
    """CMU-MOSEI: six emotions of opinion segments, each present or not, and their sentiment."""

    annotations: Annotations = _one("mosei")
    features: Features = _widths(visual=35, acoustic=74)
    targets: Targets | None = _described(
        "targets",
        {
            "emotions": MultilabelTarget(
                kind="multilabel",
                names=["happy", "sad", "anger", "surprise", "disgust", "fear"],
            )
        },
    )


class MELDConfig(SentimentDatasetConfig):
    """MELD: emotions of utterances in dialogues of Friends."""

    annotations: Annotations = _one("meld")
    features: Features = _widths(visual=None, acoustic=1611)
    targets: Targets | None = _described(
        "targets",
        {"emotion": _classes("neutral", "surprise", "fear", "sadness", "joy", "disgust", "anger")},
    )


class IEMOCAPConfig(SentimentDatasetConfig):
    """IEMOCAP: six emotions of utterances in dialogues of two actors, in DialogueRNN's file."""

    annotations: Annotations = _one("iemocap/IEMOCAP_features.pkl")
    features: Features = _widths(visual=512, acoustic=100)
    targets: Targets | None = _described(
        "targets",
        {"emotion": _classes("happy", "sad", "neutral", "angry", "excited", "frustrated")},
    )


class URFUNNYConfig(SentimentDatasetConfig):
    """UR-FUNNY, version 2: whether laughter follows a sentence of a TED talk."""

    annotations: Annotations = _one("urfunny")
    features: Features = _widths(visual=371, acoustic=81)
    targets: Targets | None = _described("targets", {"humor": _classes("serious", "humorous")})
    non_finite: Literal["error", "zero"] = _described("non_finite", "zero")


class MUStARDConfig(SentimentDatasetConfig):
    """MUStARD: sarcasm of utterances in television series."""

    annotations: Annotations = _one("mustard")
    features: Features = _widths(visual=2048, acoustic=283)
    targets: Targets | None = _described("targets", {"sarcasm": _classes("sincere", "sarcastic")})


DATASETS: dict[str, type[SentimentDatasetConfig]] = {
    "mosi": MOSIConfig,
    "mosei": MOSEIConfig,
    "sims": SIMSConfig,
    "simsv2": SIMSv2Config,
    "mosei_emotions": MOSEIEmotionsConfig,
    "meld": MELDConfig,
    "iemocap": IEMOCAPConfig,
    "urfunny": URFUNNYConfig,
    "mustard": MUStARDConfig,
}
_CHINESE = ("sims", "simsv2")


def title(name: str) -> str:
    """Return the usual name of a shipped corpus, or the name of another dataset.

    >>> title("meld"), title("mine")
    ('MELD', 'mine')
    """
    return (DATASETS[name].__doc__ or name).partition(":")[0] if name in DATASETS else name


def language(name: str) -> str | None:
    """Return the code of a shipped corpus's language, None for another dataset."""
    return ("zh" if name in _CHINESE else "en") if name in DATASETS else None
