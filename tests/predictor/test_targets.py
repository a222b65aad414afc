"""Predictors of classes, of several labels, and of numbers of other ranges."""

import csv
import json

import pyarrow.parquet as pq
import pytest
import small_predictor
import torch

from mmf_cmsbert.commands.prediction_picture import show
from mmf_cmsbert.errors import SegmentError
from mmf_cmsbert.predictor import SentimentPredictor
from mmf_cmsbert.predictor.model_card import model_card
from mmf_cmsbert.predictor.prediction import columns
from mmf_cmsbert.predictor.prediction_file import Journal
from mmf_cmsbert.predictor.sources import read_segments

TARGETS = {
    "emotion": {"kind": "classes", "names": ["neutral", "joy", "anger"]},
    "moods": {"kind": "multilabel", "names": ["happy", "sad"]},
    "arousal": {"kind": "regression", "low": 1, "high": 5},
}
ROWS = [
    {"id": "a", "text": "so good", "label": "joy", "moods": "happy", "arousal": 4},
    {"id": "b", "text": "not so good"},
]


@pytest.fixture(scope="module")
def predictor():
    return small_predictor.made(targets=TARGETS)


def test_a_class_has_a_name_and_probabilities(predictor):
    first, second = predictor(ROWS)
    names = TARGETS["emotion"]["names"]
    assert first.value in names and first.score is None
    shares = first.answers["emotion"].probabilities
    assert list(shares) == names and max(shares, key=shares.get) == first.value
    assert sum(shares.values()) == pytest.approx(1)
    assert first.probabilities == tuple(shares.values())
    assert (first.label, second.label) == ("joy", None)
    with pytest.raises(ValueError, match="predicts one of neutral, joy, anger.*no number"):
        first.sentiment  # noqa: B018


def test_labels_are_those_with_a_probability_above_one_half(predictor):
    for found in predictor(ROWS):
        shares = found.answers["moods"].probabilities
        assert found.answers["moods"].value == tuple(n for n, p in shares.items() if p > 0.5)
    assert predictor(ROWS)[0].labels == {"moods": "happy", "arousal": 4}


def test_a_number_is_shown_within_the_limits_of_its_target(capsys):
    predictor = small_predictor.made(targets={"arousal": TARGETS["arousal"]})
    with torch.no_grad():
        predictor.network.head.bias.fill_(-40)
    found = predictor("so good", explain=True)
    assert found.score < -30 and found.sentiment == 1
    with pytest.raises(ValueError, match=r"predicts a number in \[1, 5\]; expected \[-3, 3\]"):
        found.class7  # noqa: B018
    assert list(found.as_row()) == ["id", "prediction", "label"] == list(columns(predictor.targets))
    show(found, predictor)
    printed = capsys.readouterr().out
    assert printed.startswith("1 █") and "1.00" in printed and "negative" not in printed


def test_the_terminal_shows_each_answer(predictor, capsys):
    show(predictor("so good", explain=True), predictor)
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("emotion: ", "neutral", "moods: ", "arousal: ", "%"))


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_files_have_a_column_for_each_answer(predictor, tmp_path, suffix):
    given = tmp_path / "input.jsonl"
    given.write_text("\n".join(map(json.dumps, ROWS)))
    output = tmp_path / f"output{suffix}"
    journal = Journal(output, {}, 1, columns(predictor.targets))
    segments = read_segments(given, targets=predictor.label_targets)
    list(journal.extend(predictor.stream(segments)))
    assert journal.finish(output) == (2, 0)
    if suffix == ".csv":
        rows = list(csv.DictReader(output.open()))
    elif suffix == ".jsonl":
        rows = list(map(json.loads, output.read_text().splitlines()))
    else:
        rows = pq.read_table(output).to_pylist()
    assert list(rows[0]) == [
        *("id", "prediction", "probability_neutral", "probability_joy", "probability_anger"),
        *("label", "moods", "moods_probability_happy", "moods_probability_sad", "moods_label"),
        *("arousal", "arousal_label"),
    ]
    assert (rows[0]["label"], rows[0]["moods_label"]) == ("joy", "happy")
    assert float(rows[0]["arousal_label"]) == 4 and not rows[1]["label"]


def test_a_wrong_label_in_an_input_is_named(predictor):
    with pytest.raises(SegmentError, match=r"a.*emotion is 'joyful'; expected one of neutral"):
        predictor({"id": "a", "text": "so good", "label": "joyful"})


def test_an_exported_model_keeps_its_targets(predictor, tmp_path):
    predictor.save_pretrained(tmp_path / "model")
    again = SentimentPredictor(tmp_path / "model", device="cpu")
    assert again.targets == predictor.targets
    assert [each.as_row() for each in again(ROWS)] == [each.as_row() for each in predictor(ROWS)]
    card = (tmp_path / "model" / "README.md").read_text()
    assert "| mosi | emotion | one of neutral, joy, anger" in card
    assert "| mosi | arousal | a number in [1, 5] |" in card
    assert "-3 to 3" not in card and "prediction of emotion" not in card.split("---")[2]


def test_the_card_of_a_model_of_sentiment_says_so():
    made = small_predictor.made()
    card = model_card(made.config, "mine")
    assert "Sentiment of spoken opinions" in card and "# from -3 to 3" in card
    assert "| mosi | sentiment | a number in [-3, 3] |" in card
