import pytest
from small_predictor import made

from mmf_cmsbert.commands.predict_media import features_for
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media import jobs


def card(**acoustic):
    voice = {"name": "librosa", "rate": 100.0, "columns": ["a"]} | acoustic
    return {"acoustic": voice, "visual": {"name": "dlib", "rate": 12.0, "columns": ["b"]}}


def trained_on(found):
    predictor = made()
    predictor.config.training["extractors"] = {"mosi": found}
    return predictor


@pytest.fixture
def installed(monkeypatch):
    """What the extractors that are created would write on their card."""

    class Created:
        def card(self, picture_rate):
            return card() | {"visual": card()["visual"] | {"rate": picture_rate}}

    monkeypatch.setattr(jobs.Settings, "extractors", lambda self: Created())


def test_clips_are_extracted_as_the_training_data(installed):
    found = features_for(trained_on(card()), "faster_whisper", None, 5.0, None)
    assert (found.voice, found.face, found.picture_rate) == ("librosa", "dlib", 12.0)
    assert found.limits.minutes == 5.0


def test_another_model_of_the_same_extractor_is_refused(installed):
    with pytest.raises(ConfigError, match="the clips: its acoustic features are of another"):
        features_for(trained_on(card(model_sha256="1")), "faster_whisper", None, 5.0, None)


def test_a_model_without_a_card_needs_features():
    with pytest.raises(ConfigError, match="reads visual and acoustic frames, and does not record"):
        features_for(made(), "faster_whisper", None, 5.0, None)


def test_one_input_is_named(cmsbert, tmp_path):
    found = cmsbert("predict", tmp_path, "--text", "good", "--media", "a.mp4")
    assert found.exit_code == 2 and "one of them" in found.stderr
    found = cmsbert("predict", tmp_path, "--media", "a.mp4")
    assert found.exit_code == 2 and "--media is a.mp4; --output FILE is missing" in found.stderr
