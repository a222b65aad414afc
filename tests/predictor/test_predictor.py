"""Predictions of texts, of segments with frames, and of other containers of segments."""

import numpy as np
import pytest
from small_predictor import made

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.store import StoredSegments, write_store
from mmf_cmsbert.errors import ConfigError, SegmentError

WORDS = ("a", "very", "good", "film")


def frames(width, count=6, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (count, width)).astype(np.float32)


def segment(number=0, words=WORDS, start=None, end=None, **frames):
    return Segment(f"s{number}", "v", tuple(words), frames, None, start, end)


def test_a_text_has_a_sentiment_and_its_classes(predictor):
    found = predictor("a very good film")
    assert -3 <= found.sentiment <= 3 and found.class7 == round(found.sentiment)
    assert found.class2 == ("negative" if found.score < 0 else "non-negative")
    assert found.explanation is None and found.id == "0"


def test_texts_mappings_and_segments_are_the_same_inputs(predictor):
    as_text, as_words, as_segment = predictor(
        ["a very good film", {"words": list(WORDS), "id": 7}, segment()]
    )
    assert as_text.score == pytest.approx(as_words.score, abs=1e-6)
    assert as_text.score == pytest.approx(as_segment.score, abs=1e-6)
    assert [as_text.id, as_words.id, as_segment.id] == ["0", "7", "s0"]


def test_order_and_scores_do_not_depend_on_the_batches(predictor):
    many = [
        segment(
            i,
            ("good",) * (1 + i % 7),
            visual=frames(5, 1 + i % 4, i),
            acoustic=frames(4, 1 + i % 3, i),
        )
        for i in range(20)
    ]
    alone = [predictor(each).score for each in many]
    for size in (1, 3, 64):
        together = predictor(many, batch_size=size)
        assert [each.id for each in together] == [each.id for each in many]
        assert [each.score for each in together] == pytest.approx(alone, abs=1e-5)


def test_it_predicts_in_the_precision_that_was_chosen():
    exact, half = made(), made(precision="bf16")
    segments = [segment(i, ("good",) * (i + 1), visual=frames(5, 3, i)) for i in range(5)]
    as_float, rounded = exact(segments), half(segments, explain=True)
    scores = [[each.score for each in found] for found in (as_float, rounded)]
    assert scores[0] != scores[1] and scores[0] == pytest.approx(scores[1], abs=0.05)
    # The same input gives the same numbers, and the explanation is computed in float32.
    assert [each.score for each in half(segments)] == scores[1]
    shifts = [
        found[0].explanation.words[0].shift for found in (exact(segments, explain=True), rounded)
    ]
    assert shifts[0] == shifts[1]


def test_a_precision_that_needs_a_gpu_is_refused_on_a_cpu():
    with pytest.raises(ConfigError, match="precision is fp16, which needs a GPU.*precision=bf16"):
        made(precision="fp16")


@pytest.mark.parametrize("modality", ["visual", "acoustic"])
def test_frames_count_and_any_modality_can_be_missing(predictor, modality):
    width = {"visual": 5, "acoustic": 4}[modality]
    with_it = predictor({"text": "a very good film", modality: frames(width)})
    assert abs(with_it.score - predictor("a very good film").score) > 1e-4
    as_lists = predictor({"text": "a very good film", modality: frames(width).tolist()})
    assert as_lists.score == pytest.approx(with_it.score, abs=1e-6)
    one = predictor({"text": "a very good film", modality: frames(width)[0]})
    assert one.score == pytest.approx(
        predictor({"text": "a very good film", modality: frames(width)[:1]}).score, abs=1e-6
    )


def table():
    """Return columns of three segments with and without a label, a voice and an end."""
    return {
        "id": ["a", "b", "c"],
        "text": ["good film", "bad", "a very good film"],
        "label": [1.5, None, -2.0],
        "acoustic": [frames(4).tolist(), None, frames(4, 2, 1).tolist()],
        "start": [0.0, 1.0, None],
    }


def rows():
    return [dict(zip(table(), row, strict=True)) for row in zip(*table().values(), strict=True)]


def assert_as_mappings(predictor, found):
    expected = predictor(rows())
    assert [(each.id, each.label) for each in found] == [("a", 1.5), ("b", None), ("c", -2.0)]
    assert [each.score for each in found] == pytest.approx([e.score for e in expected], abs=1e-6)


def test_a_data_frame_is_read_by_rows(predictor):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(table(), index=[7, 5, 3])
    assert_as_mappings(predictor, predictor(frame))
    frame["label"] = frame["label"].astype("Float64")  # pandas' own missing values
    frame["id"] = frame["id"].astype("string")
    assert_as_mappings(predictor, predictor(frame))
    texts = predictor(frame["text"])
    assert [each.id for each in texts] == ["0", "1", "2"]


@pytest.mark.parametrize("kind", ["python", "numpy", "torch"])
def test_a_dataset_of_hugging_faces_library_is_read(predictor, kind):
    datasets = pytest.importorskip("datasets")
    given = datasets.Dataset.from_dict(table())
    if kind == "python":
        assert_as_mappings(predictor, predictor(given.to_iterable_dataset()))
    else:
        given = given.with_format(kind, columns=["acoustic"], output_all_columns=True)
    assert_as_mappings(predictor, predictor(given))


def test_numbers_of_classes_are_not_taken_for_labels(predictor):
    datasets = pytest.importorskip("datasets")
    classes = datasets.ClassLabel(names=["negative", "positive"])
    given = datasets.Dataset.from_dict({"text": ["good"], "label": [1]})
    assert predictor(given)[0].label == 1
    assert predictor(given.cast_column("label", classes))[0].label is None
    with pytest.raises(ConfigError, match=r"has the splits train, test; .*dataset\['test'\]"):
        predictor(datasets.DatasetDict(train=given, test=given))


def test_a_store_is_read(predictor, tmp_path):
    given = [segment(i, ("good",) * (1 + i), visual=frames(5, 2, i)) for i in range(5)]
    write_store(tmp_path, given, sources=[], settings={})
    found = predictor(StoredSegments(tmp_path))
    assert [each.id for each in found] == ["s0", "s1", "s2", "s3", "s4"]
    assert [each.score for each in found] == pytest.approx([e.score for e in predictor(given)])


def test_several_splits_are_not_one_segment(predictor):
    with pytest.raises(SegmentError, match="expected its 'text' or its 'words', found train, test"):
        predictor({"train": [], "test": []})


@pytest.mark.parametrize(
    ("item", "named"),
    [
        ({"text": "good", "visual": frames(3)}, "visual frames of width 3, but the model reads 5"),
        ({"text": "good", "acoustic": frames(4) * np.nan}, "not finite"),
        ({"text": "  "}, "no words"),
        ({"label": 1}, "expected its 'text' or its 'words', found label"),
        (3.5, "expected a text, a segment, or a mapping"),
    ],
)
def test_an_input_that_cannot_be_used_is_named_and_the_others_are_predicted(predictor, item, named):
    with pytest.raises(SegmentError, match=named):
        predictor(["good", item])
    from mmf_cmsbert.predictor import inputs

    found = list(predictor.stream(inputs.segments(["good", item, "bad"]), batch_size=2))
    assert isinstance(found[1], SegmentError) and named in str(found[1])
    assert [each.id for each in found[::2]] == ["0", "2"]


def test_each_words_shift_is_explained_by_modality_frames_and_seconds(predictor):
    given = segment(visual=frames(5, 6), start=10.0, end=13.0)
    found = predictor(given, explain=True).explanation
    assert [each.word for each in found.words] == list(WORDS)
    for word in found.words:
        assert word.shift == pytest.approx(word.shifts["visual"], rel=1e-3)
        assert word.shifts["acoustic"] == 0 and len(word.attention["acoustic"]) == 0
        assert word.attention["visual"].sum() == pytest.approx(1, abs=1e-5)
    assert found.times["visual"] == pytest.approx([10.25, 10.75, 11.25, 11.75, 12.25, 12.75])
    assert set(found.embeddings) == {"text", "visual"}
    assert np.linalg.norm(found.embeddings["visual"]) == pytest.approx(1, abs=1e-5)


def test_words_that_are_cut_off_have_no_shift(predictor):
    found = predictor(segment(words=("good",) * 20, visual=frames(5)), explain=True)
    shifts = [each.shift for each in found.explanation.words]
    assert len(shifts) == 20 and shifts[-1] is None and shifts[0] > 0


def test_explaining_does_not_change_the_prediction(predictor):
    given = segment(visual=frames(5), acoustic=frames(4))
    assert predictor(given, explain=True).score == pytest.approx(predictor(given).score, abs=1e-6)


def test_segments_are_prepared_as_in_training():
    long = frames(5, 40)
    pooled = made(max_frames=4)(segment(visual=long))
    halves = long.reshape(4, 10, 5).mean(1)
    assert pooled.score == pytest.approx(made()(segment(visual=halves)).score, abs=1e-5)
    raised = segment(visual=long + 100)
    by_segment = made(normalise="segment")
    assert by_segment(raised).score == pytest.approx(
        by_segment(segment(visual=long)).score, abs=1e-3
    )
    broken = long.copy()
    broken[3, 2] = np.inf
    zeros = np.where(np.isfinite(broken), broken, 0)
    assert made(non_finite="zero")(segment(visual=broken)).score == pytest.approx(
        made()(segment(visual=zeros)).score, abs=1e-6
    )


def test_a_model_that_needs_aligned_frames_names_the_segment_without():
    aligned = made("word")
    assert aligned(segment(visual=frames(5, 4))).score
    with pytest.raises(SegmentError, match="s0 has 4 words but 6 visual frames"):
        aligned(segment(visual=frames(5, 6)))
    once = made("word", single_frame="every_word")
    assert once(segment(visual=frames(5, 1))).score


def test_a_classifier_gives_its_probabilities():
    found = made(classes=7)(segment(visual=frames(5)))
    assert len(found.probabilities) == 7 and sum(found.probabilities) == pytest.approx(1, abs=1e-5)
    assert found.class7 == int(np.argmax(found.probabilities)) - 3 == found.score


def test_an_unknown_dataset_is_refused(predictor):
    with pytest.raises(ConfigError, match="trained on mosi"):
        type(predictor).of(predictor.config, predictor.network, predictor.tokenizer, dataset="x")
