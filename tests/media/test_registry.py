import pytest

from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.media import extractor, registry


def test_each_kind_has_its_extractors():
    assert registry.names("recogniser") == ["faster_whisper"]
    assert registry.names("voice") == ["librosa", "opensmile", "whisper_states"]
    assert registry.names("face") == ["dlib", "mediapipe"]
    assert registry.create("voice", "none") is None


@pytest.mark.parametrize(
    "kind, typed, message",
    [
        ("voice", "praat", r"--voice is praat; expected librosa, opensmile, whisper_states\[:FOL"),
        ("recogniser", "vosk", r"--recogniser is vosk; expected .* folder of a faster-whisper"),
        ("voice", "librosa:x", "--voice librosa uses no model, and x is named as one"),
    ],
)
def test_an_unknown_name_lists_the_known_ones(kind, typed, message):
    with pytest.raises(ConfigError, match=message):
        registry.create(kind, typed)


@pytest.mark.parametrize(
    "kind, typed, package",
    [
        ("recogniser", "faster_whisper", "faster-whisper"),
        ("voice", "librosa", "librosa"),
        ("voice", "opensmile", "opensmile"),
        ("face", "mediapipe", "mediapipe"),
        ("face", "dlib", "dlib-bin"),
    ],
)
def test_a_missing_library_is_one_message_that_says_what_to_type(kind, typed, package, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(extractor, "import_module", missing)
    with pytest.raises(ConfigError, match=f"--{kind}.*Type: pip install '{package}'"):
        registry.create(kind, typed)


def test_a_name_is_taken_once():
    with pytest.raises(ConfigError, match="'librosa' is taken"):

        @registry.register_extractor("librosa")
        class Other(extractor.Voice):
            pass
