import pytest

from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.media.card import check_same, described, difference, read_card, write_card

VOICE = {"name": "librosa", "rate": 100.0, "columns": ["a", "b"], "versions": {"librosa": "0.11"}}
CARD = {"acoustic": VOICE, "visual": None, "recogniser": None}


def changed(**fields):
    return {"acoustic": VOICE | fields}


def test_a_card_is_read_as_it_was_written(tmp_path):
    assert read_card(tmp_path) == {}
    write_card(tmp_path, CARD)
    assert read_card(tmp_path) == {"format": 1, **CARD}


@pytest.mark.parametrize("text", ["[]", "{", '{"format": 1, "acoustic": "librosa"}', "{}"])
def test_a_damaged_card_is_refused(tmp_path, text):
    (tmp_path / "extractors.json").write_text(text)
    with pytest.raises(DataError, match=r"extractors\.json: not a card of extractors"):
        read_card(tmp_path)


def test_a_card_of_a_newer_version_is_refused(tmp_path):
    (tmp_path / "extractors.json").write_text('{"format": 2}')
    with pytest.raises(DataError, match="reads formats up to 1"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    "fields, differs",
    [
        ({"name": "opensmile"}, "name librosa, not opensmile"),
        ({"rate": 50.0}, "rate 100.0, not 50.0"),
        ({"columns": ["a", "c"]}, r"columns 2 columns \(a, b, ...\), not 2 columns"),
        ({"model_sha256": "12"}, "model_sha256 None, not 12"),
    ],
)
def test_another_extractor_is_refused_whatever_differs(fields, differs):
    with pytest.raises(
        ConfigError, match=f"new: its acoustic features.*{differs}.*--voice librosa"
    ):
        check_same(CARD, changed(**fields), "the model", "new")


def test_versions_unknown_cards_and_unused_modalities_are_no_difference():
    assert (
        difference(CARD, changed(versions={"librosa": "0.12"}, licence="ISC"), "acoustic") is None
    )
    check_same(CARD, {}, "the model", "new")
    check_same(CARD, changed(name="opensmile"), "the model", "new", ["visual"])


def test_a_card_is_described_in_a_line_for_each_extractor():
    assert described(CARD) == ["acoustic: librosa; librosa 0.11; 100 per second; 2 columns"]
