"""Extraction settings that give a model features like those of its training data."""

from pathlib import Path
from typing import TYPE_CHECKING

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media.container import Limits
from mmf_cmsbert.media.jobs import Settings

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import SentimentPredictor

_NONE = "none"


def features_for(
    predictor: "SentimentPredictor",
    recogniser: str,
    face_model: Path | None,
    max_minutes: float,
    user_dir: Path | None,
) -> Settings:
    """Return the settings with which features of the model's training data were extracted.

    Args:
        predictor: the model.
        recogniser: as typed.
        face_model: as typed, or None.
        max_minutes: as typed.
        user_dir: as typed, or None.

    Raises:
        ConfigError: the model does not record its extractors, or another model is installed.
    """
    card = predictor.extractors
    used = predictor.config.widths(predictor.dataset)
    unknown = [modality for modality in used if not card.get(modality)]
    if unknown:
        raise ConfigError(
            f"the model reads {' and '.join(unknown)} frames, and does not record by which "
            "extractor; --media needs a model that was trained on features of cmsbert features. "
            "Extract frames as for its training data, and type --input FOLDER"
        )
    settings = Settings(
        recogniser=recogniser,
        voice=str(card["acoustic"]["name"]) if "acoustic" in used else _NONE,
        face=str(card["visual"]["name"]) if "visual" in used else _NONE,
        face_model=str(face_model) if face_model and "visual" in used else None,
        picture_rate=float(card["visual"]["rate"]) if "visual" in used else 30.0,
        limits=Limits(minutes=max_minutes),
        user_dir=str(user_dir) if user_dir else None,
    )
    predictor.check_extractors(settings.extractors().card(settings.picture_rate), "the clips")
    return settings
