"""Labels that layouts know by name, and the targets of the dataset."""

import math
import pickle

import numpy as np
import pytest
from written_corpora import (
    MELD_EMOTIONS,
    cosmic_pickle,
    meld_pickle,
    meld_tables,
    mustard_json,
    sims_pickle,
)
from written_layouts import make_segments, write_csd, write_misa

from mmf_cmsbert.config.schemas.targets import ClassesTarget, MultilabelTarget, RegressionTarget
from mmf_cmsbert.datasets.readers.fields import emotions
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.target_values import arranged
from mmf_cmsbert.datasets.segment import Segment

SENTIMENT = RegressionTarget()
EMOTIONS = MultilabelTarget(kind="multilabel", names=list("abcdef"))
CLASSES = ClassesTarget(kind="classes", names=["no", "yes"])


def segment(label=1.0, **targets):
    return Segment("a", "a", ("x",), {}, label, targets=targets)


def test_a_segment_without_named_labels_stays_as_it_is():
    plain = segment()
    assert arranged(plain, {"emotion": CLASSES}) is plain


def test_the_main_target_becomes_the_label_and_undeclared_ones_are_dropped():
    found = arranged(
        segment(emotion=(1.0,), sentiment=(2.0,), other=(3.0,)),
        {"sentiment": SENTIMENT, "emotion": CLASSES},
    )
    assert found.label == 2.0
    assert found.targets == {"emotion": (1.0,)}


def test_a_main_target_of_several_labels_stays_among_the_targets():
    values = (0.0, 1.0, 0.0, 0.0, math.nan, 0.0)
    found = arranged(
        segment(sentiment=(1.0,), emotions=values), {"emotions": EMOTIONS, "sentiment": SENTIMENT}
    )
    assert found.label is None
    assert found.targets == {"emotions": values, "sentiment": (1.0,)}


def test_a_main_target_of_another_name_keeps_the_label():
    found = arranged(segment(emotion=(1.0,)), {"mood": CLASSES})
    assert (found.label, found.targets) == (1.0, {})


def test_an_unknown_main_label_is_none():
    assert arranged(segment(sentiment=(math.nan,)), {"sentiment": SENTIMENT}).label is None


@pytest.mark.parametrize(
    "vector",
    [
        np.array([[1.5, 0, 2 / 3, 0, -0.0, 3, 0]], np.float32),
        [[1.5, 0, 0.6, 0, 0, 3.0, 0]],
        (1.5, 0, 1, 0, 0, 1, 0),
    ],
)
def test_an_emotion_of_mosei_is_present_above_zero(vector):
    found = emotions(vector)
    assert list(found) == ["sentiment", "happy", "sad", "anger", "surprise", "disgust", "fear"]
    assert list(found.values()) == [(1.5,), (0,), (1,), (0,), (0,), (1,), (0,)]
    emotions_in_another_order = MultilabelTarget(kind="multilabel", names=["Fear", "sad"])
    read = arranged(segment(**found), {"emotions": emotions_in_another_order})
    assert (read.label, read.targets) == (None, {"emotions": (0, 1)})


@pytest.mark.parametrize(
    "other", [1.5, None, [1.5], np.float32(1), np.array(1.0), [1] * 6, ["a"] * 7]
)
def test_other_labels_have_no_emotions(other):
    assert emotions(other) == {}


def test_mosei_s_vectors_are_read_from_pickles_and_csd_files(tmp_path):
    made = {s: make_segments(np.random.default_rng(1), s) for s in ("train", "val", "test")}
    file = write_misa(tmp_path / "misa", made)["train"]
    entries = pickle.loads(file.read_bytes())
    vector = np.array([[0.5, 1, 0, 0, 0, 0, 2]], np.float32)
    file.write_bytes(pickle.dumps([(fields, vector, name) for fields, _, name in entries]))
    assert all(found.targets == emotions(vector) for found in read_files([file], "train"))
    folder = write_csd(tmp_path / "csd", made)["train"]
    assert all(found.targets == {} for found in read_files([folder], "train"))


def test_ch_sims_has_a_label_of_each_modality(tmp_path):
    file = sims_pickle(tmp_path)
    fields = pickle.loads(file.read_bytes())["valid"]
    for i, found in enumerate(read_files([file], "val")):
        assert found.targets == {
            "sentiment": (found.label,),
            "sentiment_text": (fields["regression_labels_T"][i],),
            "sentiment_acoustic": (fields["regression_labels_A"][i],),
            "sentiment_visual": (fields["regression_labels_V"][i],),
        }


def test_conversations_name_emotion_and_sentiment(tmp_path):
    targets = {
        "sentiment": ClassesTarget(kind="classes", names=["negative", "neutral", "positive"]),
        "emotion": ClassesTarget(kind="classes", names=list(MELD_EMOTIONS)),
    }
    (first, *_) = read_files([meld_pickle(tmp_path)], "test", targets=targets)
    assert (first.label, first.targets) == (0, {"emotion": (5,)})  # negative, disgust
    found = list(read_files([meld_tables(tmp_path / "meld")], "test", targets=targets))
    assert [each.label for each in found] == [1, 2, 0, 1, 2, 0]
    four = {"emotion": ClassesTarget(kind="classes", names=["happy", "sad", "neutral", "angry"])}
    found = list(read_files([cosmic_pickle(tmp_path)], "test", targets=four))
    assert "expected one of happy, sad, neutral, angry" in str(found[0])  # excited
    (first, *_) = read_files([mustard_json(tmp_path / "mustard")], "test")
    assert first.targets == {"sarcasm": (1.0,)}
