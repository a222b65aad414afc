"""Files are converted to a store once, and again if they or the settings change."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import written_layouts as layouts
from written_corpora import iemocap_pickle, meld_pickle

from mmf_cmsbert.config.schemas.corpora import MOSEIConfig, MOSIConfig, SIMSConfig
from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.targets import ClassesTarget, RegressionTarget
from mmf_cmsbert.datasets import conversion
from mmf_cmsbert.datasets.conversion import (
    ConversionSettings,
    convert,
    defined_settings,
    fitting_store,
    store_name,
)
from mmf_cmsbert.datasets.stores.manifest import read_manifest
from mmf_cmsbert.errors import ConfigError, DataError, SegmentError

SETTINGS = ConversionSettings("mosi", widths={"visual": 5, "acoustic": 4}, labelled=True)


@pytest.fixture
def corpus():
    rng = np.random.default_rng(0)
    return {split: layouts.make_segments(rng, split) for split in layouts.SPLITS}


@pytest.fixture
def files(tmp_path, corpus):
    return layouts.write_misa(tmp_path / "misa", corpus)


@pytest.fixture
def readings(monkeypatch):
    """Count how often files are read."""
    calls, original = [], conversion.read_files

    def counting(*args, **kwargs):
        calls.append(args)
        return original(*args, **kwargs)

    monkeypatch.setattr(conversion, "read_files", counting)
    return calls


def assert_same(stored, given):
    assert [s.id for s in stored] == [s.id for s in given]
    for one, other in zip(stored, given, strict=True):
        assert (one.words, one.label) == (other.words, other.label)
        assert np.array_equal(one.frames["visual"], other.frames["visual"])
        assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])


@pytest.mark.parametrize(("name", "schema"), [("mosi", MOSIConfig), ("mosei", MOSEIConfig)])
def test_shipped_datasets_are_converted_as_before_they_were_read_from_definitions(name, schema):
    """Their stores stay valid."""
    assert defined_settings(name, schema()) == ConversionSettings(name, max_frames=500)


def test_a_definition_says_how_segments_are_converted(tmp_path):
    (tmp_path / "vocab.txt").write_text("")
    keys = {
        "layout": "mustard",
        "alignment": "none",
        "max_frames": None,
        "on_invalid": "skip",
        "non_finite": "zero",
        "single_frame": "every_word",
        "label_values": {"bad": -1.0},
        "context": 2,
        "fold": 3,
        "voice": "librosa",
        "face": "dlib",
    }
    stated = keys | {"columns": {"text": "said"}, "vocabulary": str(tmp_path / "vocab.txt")}
    defined = SentimentDatasetConfig.model_validate(stated | {"normalise": "segment"})
    assert defined_settings("mine", defined) == ConversionSettings(
        "mine",
        by_segment=True,
        vocabulary=tmp_path / "vocab.txt",
        columns={"text": "said"},
        **keys,
    )
    corpus = SentimentDatasetConfig(normalise="corpus")
    assert not defined_settings("mine", corpus).by_segment, "training applies its statistics"
    sims = defined_settings("sims", SIMSConfig())
    assert sims.non_finite == "zero" and sims.targets["sentiment"].high == 1


def test_the_store_holds_the_segments(files, corpus, tmp_path):
    store = convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    assert_same(store, corpus["val"])
    assert store.manifest.skipped == []
    assert not store.manifest.synthetic


def test_a_store_of_a_synthetic_one_is_synthetic_too(files, tmp_path):
    made = convert([files["val"]], "val", SETTINGS, tmp_path / "made" / "val")
    replace(made.manifest, synthetic=True).write(made.folder)
    # Both a store and a folder of stores, read for fewer frames than they have.
    for place in (made.folder, made.folder.parent):
        fewer = replace(SETTINGS, max_frames=1)
        assert convert([place], "val", fewer, tmp_path / "fewer").manifest.synthetic


def test_every_layout_gives_the_same_store(corpus, tmp_path):
    written = {
        "misa": layouts.write_misa(tmp_path / "misa", corpus),
        "mag": layouts.write_mag(tmp_path, corpus),
        "aligned": layouts.write_mmsa(tmp_path, corpus, lengths=False),
        "unaligned": layouts.write_mmsa(tmp_path, corpus, lengths=True),
        "csd": layouts.write_csd(tmp_path / "csd", corpus),
        "folder": layouts.write_folder(tmp_path / "own", corpus),
    }
    for name, files in written.items():
        for split, segments in corpus.items():
            store = convert([files[split]], split, SETTINGS, tmp_path / "stores" / name / split)
            for one, other in zip(store, segments, strict=True):
                assert (one.words, one.label) == (other.words, other.label)
                assert np.array_equal(one.frames["visual"], other.frames["visual"])
                assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])
    for split in corpus:
        again = convert([tmp_path / "stores" / "misa"], split, SETTINGS, tmp_path / "again" / split)
        assert_same(again, corpus[split])


def test_it_is_made_once(files, tmp_path, readings):
    for _ in range(3):
        convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    assert len(readings) == 1


def test_it_is_made_again_when_a_file_has_changed(files, corpus, tmp_path, readings):
    convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    changed = {**corpus, "val": corpus["val"][:2]}
    layouts.write_misa(tmp_path / "misa", changed)
    assert len(convert([files["val"]], "val", SETTINGS, tmp_path / "store")) == 2
    assert len(readings) == 2


def test_not_when_it_was_only_touched(files, tmp_path, readings):
    convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    os.utime(files["val"], ns=(5, 5))
    store = convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    assert len(readings) == 1
    assert store.folder == tmp_path / "store"
    assert read_manifest(store.folder).sources[0].mtime_ns == 5  # not hashed again


@pytest.mark.parametrize(
    "changes",
    [
        {"max_frames": 2},
        {"by_segment": True},
        {"widths": {"visual": 5}},
        {"labelled": False},
        {"single_frame": "every_word"},
    ],
    ids=str,
)
def test_other_settings_make_another_store(files, tmp_path, readings, changes):
    other = replace(SETTINGS, **changes)
    names = {store_name([files["val"]], "val", each, ()) for each in (SETTINGS, other)}
    assert len(names) == 2
    # also if both are written to one folder
    for settings in (SETTINGS, other):
        convert([files["val"]], "val", settings, tmp_path / "store")
    assert len(readings) == 2


@pytest.mark.parametrize("kept", [0, 200, -1])
def test_a_broken_store_is_made_again(files, corpus, tmp_path, kept):
    convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    for name in ("segments.arrow", "manifest.json"):
        content = (tmp_path / "store" / name).read_bytes()
        (tmp_path / "store" / name).write_bytes(content[:kept])
        assert_same(convert([files["val"]], "val", SETTINGS, tmp_path / "store"), corpus["val"])


def spoil(file, *numbers):
    entries = pickle.loads(file.read_bytes())
    for i in numbers:
        entries[i][0][1][0, 1] = np.nan
    file.write_bytes(pickle.dumps(entries))


def test_a_segment_that_cannot_be_used_is_an_error_that_leaves_no_store(files, tmp_path):
    spoil(files["val"], 2)
    with pytest.raises(SegmentError, match="visual frame 0, column 1 is nan"):
        convert([files["val"]], "val", SETTINGS, tmp_path / "stores" / "val")
    assert not (tmp_path / "stores").exists()


def test_or_is_left_out_with_its_reason(files, corpus, tmp_path):
    spoil(files["val"], 2, 4)
    settings = replace(SETTINGS, on_invalid="skip")
    store = convert([files["val"]], "val", settings, tmp_path / "store")
    assert_same(store, [s for i, s in enumerate(corpus["val"]) if i not in (2, 4)])
    first, second = store.manifest.skipped
    assert f"{files['val']}: segment {corpus['val'][2].id}, visual frame 0" in first
    assert corpus["val"][4].id in second


def test_a_split_of_which_nothing_is_left_is_an_error(files, tmp_path):
    spoil(files["val"], *range(6))
    settings = replace(SETTINGS, on_invalid="skip")
    with pytest.raises(DataError, match="none of its 6 segments can be used.*column 1 is nan"):
        convert([files["val"]], "val", settings, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_values_that_are_not_finite_can_become_zeros(files, tmp_path):
    spoil(files["val"], 2)
    settings = replace(SETTINGS, non_finite="zero")
    store = convert([files["val"]], "val", settings, tmp_path / "store")
    assert store[2].frames["visual"][0, 1] == 0.0


def test_a_failed_conversion_leaves_the_store_that_was_there(files, tmp_path):
    convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    spoil(files["val"], 2)
    with pytest.raises(SegmentError):
        convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    assert read_manifest(tmp_path / "store").segments == 6
    assert sorted(each.name for each in tmp_path.iterdir()) == ["misa", "store"]


def test_a_file_that_grows_while_it_is_read_is_an_error(files, tmp_path, monkeypatch):
    original = conversion.read_files

    def slow(*args, **kwargs):
        yield from original(*args, **kwargs)
        with open(files["val"], "ab") as file:
            file.write(b"more")

    monkeypatch.setattr(conversion, "read_files", slow)
    with pytest.raises(DataError, match="changed while being read"):
        convert([files["val"]], "val", SETTINGS, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_statistics_are_those_of_the_training_split(files, corpus, tmp_path):
    store = convert([files["train"]], "train", SETTINGS, tmp_path / "train")
    frames = np.concatenate([s.frames["visual"] for s in corpus["train"]]).astype(np.float64)
    mean, scale = store.manifest.statistics["visual"]
    assert np.allclose(mean, frames.mean(0))
    assert np.allclose(scale, frames.std(0))
    assert convert([files["val"]], "val", SETTINGS, tmp_path / "val").manifest.statistics == {}


def test_a_store_that_fits_is_used_as_it_is(files, tmp_path):
    convert([files["val"]], "val", SETTINGS, tmp_path / "store" / "val")
    for place in (tmp_path / "store", tmp_path / "store" / "val"):
        found = fitting_store([place], "val", SETTINGS)
        assert found.folder == tmp_path / "store" / "val"
    longest = found.manifest.longest["visual"]
    for changes, fits in (
        ({"max_frames": longest}, True),
        ({"max_frames": longest - 1}, False),
        ({"widths": {"visual": 5, "acoustic": None}}, False),
        ({"widths": {"visual": 6, "acoustic": 4}}, False),
        ({"by_segment": True}, False),
        ({"layout": "misa"}, False),
    ):
        found = fitting_store([tmp_path / "store"], "val", replace(SETTINGS, **changes))
        assert (found is not None) == fits
    assert fitting_store([files["val"]], "val", SETTINGS) is None


def test_a_single_frame_is_given_to_every_word_where_that_is_asked_for(tmp_path):
    folder = tmp_path / "own"
    (folder / "acoustic").mkdir(parents=True)
    (folder / "segments.jsonl").write_text('{"id": "a", "text": "so very good", "label": 1}\n')
    np.save(folder / "acoustic" / "a.npy", np.array([[1, 2, 3, 4]], np.float32))
    kept = convert([folder], "val", SETTINGS, tmp_path / "kept" / "val")
    assert (
        len(kept[0].frames["acoustic"]) == 1 and "3 words but 1 acoustic" in kept.manifest.unaligned
    )
    every_word = replace(SETTINGS, single_frame="every_word")
    spread = convert([folder], "val", every_word, tmp_path / "spread" / "val")
    assert (
        spread[0].frames["acoustic"].tolist() == [[1, 2, 3, 4]] * 3
        and spread.manifest.unaligned is None
    )
    assert fitting_store([tmp_path / "kept"], "val", every_word) is None
    assert fitting_store([tmp_path / "spread"], "val", every_word)


def test_a_store_without_labels_fits_where_none_are_needed(files, tmp_path):
    entries = pickle.loads(files["val"].read_bytes())
    unknown = [(fields, np.nan, name) for fields, _, name in entries]
    files["val"].write_bytes(pickle.dumps(unknown))
    unlabelled = replace(SETTINGS, labelled=False)
    convert([files["val"]], "val", unlabelled, tmp_path / "store" / "val")
    assert fitting_store([tmp_path / "store"], "val", unlabelled)
    assert fitting_store([tmp_path / "store"], "val", SETTINGS) is None


def test_the_order_of_the_targets_is_part_of_the_store(tmp_path):
    file = iemocap_pickle(tmp_path)
    classes = ClassesTarget(kind="classes", names=["a", "b", "c", "d"])
    one, other = (
        {"emotion": classes, "sentiment": RegressionTarget()},
        {"sentiment": RegressionTarget()},
    )
    settings = [
        ConversionSettings("iemocap", targets=each)
        for each in (None, one, dict(reversed(one.items())), other)
    ]
    names = {store_name([file], "val", each, []) for each in settings}
    assert len(names) == 4


def test_a_store_holds_the_declared_targets_and_the_label_of_the_main_one(tmp_path):
    file = meld_pickle(tmp_path)
    classes = ClassesTarget(kind="classes", names=["neutral", "positive", "negative"])
    widths = {"visual": 342, "acoustic": 300}
    settings = ConversionSettings("meld", widths=widths, targets={"sentiment": classes})
    stored = convert([file], "test", settings, tmp_path / "store")
    assert {segment.label for segment in stored} <= {0, 1, 2}
    assert all(segment.targets == {} for segment in stored)
    assert fitting_store([tmp_path / "store"], "test", settings) is not None
    others = replace(settings, targets=None)
    assert fitting_store([tmp_path / "store"], "test", others) is None


@pytest.mark.parametrize(("converted", "wanted"), [(0, 2), (2, 0), (1, 2)])
def test_a_store_of_another_context_is_refused_instead_of_read_without_it(
    tmp_path, converted, wanted
):
    settings = ConversionSettings("iemocap", context=converted)
    convert([iemocap_pickle(tmp_path)], "test", settings, tmp_path / "store")
    with pytest.raises(ConfigError, match=rf"store with context {converted}, but .* is {wanted};"):
        fitting_store([tmp_path / "store"], "test", replace(settings, context=wanted))
