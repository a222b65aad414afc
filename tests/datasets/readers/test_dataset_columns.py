"""Columns of Hugging Face datasets are found by name, then by type, or asked for."""

import pytest

datasets = pytest.importorskip("datasets", reason="its types describe columns")
from datasets import Array2D, Audio, ClassLabel, Features, List, Value  # noqa: E402

from mmf_cmsbert.datasets.readers.dataset_columns import find_columns, is_frames  # noqa: E402
from mmf_cmsbert.errors import DataError  # noqa: E402

STRING, NUMBER, FRAMES = Value("string"), Value("float32"), List(List(Value("float32")))


def columns(features, **named):
    return find_columns(Features(features), named, "here", "columns")


def test_usual_names_are_found_in_any_case():
    found = columns(
        {
            "Segment_ID": STRING,
            "Raw_Text": STRING,
            "Regression_Label": NUMBER,
            "vision": FRAMES,
            "audio": FRAMES,
            "speaker": STRING,
        }
    )
    assert found.of == {
        "id": "Segment_ID",
        "text": "Raw_Text",
        "label": "Regression_Label",
        "visual": "vision",
        "acoustic": "audio",
    }
    assert found.metadata == ("speaker",)


@pytest.mark.parametrize(
    "features, field, column",
    [
        ({"sentence": STRING, "y": NUMBER}, "text", "sentence"),
        ({"tokens": List(STRING), "y": NUMBER, "speaker": STRING}, "words", "tokens"),
        ({"text": List(STRING)}, "words", "text"),
        ({"text": STRING, "score": Value("float64"), "year": Value("int32")}, "label", "score"),
        ({"text": STRING, "mood": ClassLabel(names=["-1", "1"])}, "label", "mood"),
        ({"text": STRING, "label": Value("int64"), "score": NUMBER}, "label", "label"),
    ],
)
def test_text_and_label_are_found_by_type(features, field, column):
    assert columns(features).of[field] == column


def test_words_are_preferred_to_the_text_that_they_are_cut_from():
    found = columns({"text": STRING, "words": List(STRING)})
    assert found.of == {"words": "words"}


def test_named_columns_win():
    found = columns({"text": STRING, "said": STRING, "label": NUMBER, "y": NUMBER}, text="said")
    assert (found.of["text"], found.of["label"]) == ("said", "label")


def test_the_names_of_classes_are_kept():
    assert columns({"text": STRING, "label": ClassLabel(names=["bad", "good"])}).classes == (
        "bad",
        "good",
    )


def test_sound_and_pictures_are_named_and_not_taken_for_frames():
    found = columns({"text": STRING, "audio": Audio()})
    assert found.media == ("audio",) and "acoustic" not in found.of


@pytest.mark.parametrize(
    "features, named, message",
    [
        ({"a": STRING, "b": STRING}, {}, r"several could be: a, b; name .* columns\.text=NAME"),
        ({"y": NUMBER}, {}, "no column has text"),
        (
            {"text": STRING, "y": NUMBER, "z": NUMBER},
            {},
            r"could be the label: y, z; choose one with columns\.label=NAME",
        ),
        (
            {"text": STRING, "label": NUMBER, "labels": NUMBER},
            {},
            r"'label' and 'labels' both give the label; choose one with columns\.label=NAME",
        ),
        ({"text": STRING}, {"label": "lable"}, r"columns\.label is 'lable', which is no column"),
    ],
)
def test_what_is_missing_or_ambiguous_is_one_message_with_all_columns(features, named, message):
    with pytest.raises(DataError, match=message) as error:
        columns(features, **named)
    for name in features:
        assert name in str(error.value).split("The columns are:")[1]


@pytest.mark.parametrize(
    "kind, expected",
    [
        (FRAMES, True),
        (List(List(Value("float32"), length=4)), True),
        (List(Value("int16")), True),
        (Array2D((None, 4), "float32"), True),
        (List(STRING), False),
        (STRING, False),
        (NUMBER, False),
    ],
)
def test_frames_are_lists_of_numbers(kind, expected):
    assert is_frames(kind) == expected


def test_columns_of_frames_are_modalities_of_their_names():
    features = {"text": STRING, "gaze": FRAMES, "flat": List(Value("float32")), "scores": FRAMES}
    assert columns(features).of == {"text": "text", "gaze": "gaze"}
    found = find_columns(Features(features), {}, "here", "columns", modalities=("flat",))
    assert found.of == {"text": "text", "flat": "flat"}


def test_a_column_named_for_a_modality_holds_frames():
    features = {"text": STRING, "g": FRAMES, "lab": STRING}
    assert columns(features, gaze="g").of["gaze"] == "g"
    with pytest.raises(DataError, match="columns.lable is 'lab', a column of string; expected lis"):
        columns(features, lable="lab")
