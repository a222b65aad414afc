"""Data files of every layout as segments."""

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import written_layouts

from mmf_cmsbert.datasets import layouts
from mmf_cmsbert.datasets.layouts import check_layout, read_files, read_split
from mmf_cmsbert.errors import ConfigError, DataError

WORDS = ["not", "great"]
VISUAL = np.arange(6, dtype=np.float32).reshape(2, 3)
ACOUSTIC = np.arange(4, dtype=np.float64).reshape(2, 2)
LABEL = np.array([[-1.2]], np.float32)


def misa_entry(words=WORDS, visual=VISUAL, acoustic=ACOUSTIC, label=LABEL, name="abc[0]"):
    return (np.array([5, 6]), visual, acoustic, words), label, name


def mag_entry(words=WORDS, visual=VISUAL, acoustic=ACOUSTIC, label=LABEL, name="abc[0]"):
    return (words, visual, acoustic), label, name


def save(tmp_path, content):
    path = tmp_path / "data.pkl"
    path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("layout", ["auto", "misa"])
def test_misa(tmp_path, layout):
    path = save(tmp_path, [misa_entry(), misa_entry(name="abc[1]")])
    first, second = read_split(path, "train", layout)
    assert (first.id, second.id, first.video) == ("abc[0]", "abc[1]", "abc")
    assert first.words == ("not", "great")
    assert first.visual.dtype == first.acoustic.dtype == np.float32
    assert type(first.visual) is np.ndarray
    assert np.array_equal(first.visual, VISUAL)
    assert np.array_equal(first.acoustic, ACOUSTIC)
    assert first.label == pytest.approx(-1.2)
    assert (first.start, first.end) == (None, None)


@pytest.mark.parametrize("layout", ["auto", "mag"])
def test_mag_gives_the_split_that_is_asked_for(tmp_path, layout):
    content = {split: [mag_entry(name=f"{split}[0]")] for split in ("train", "dev", "test")}
    path = save(tmp_path, content)
    for split, key in (("train", "train"), ("val", "dev"), ("test", "test")):
        (segment,) = read_split(path, split, layout)
        assert segment.id == f"{key}[0]"
        assert segment.words == ("not", "great")
        assert np.array_equal(segment.visual, VISUAL)


def test_a_mag_file_is_unpickled_once_for_its_three_splits(tmp_path, monkeypatch):
    reads = []
    load = layouts.load_plain
    monkeypatch.setattr(layouts, "load_plain", lambda path: reads.append(path) or load(path))
    path = save(tmp_path, {key: [mag_entry(name=key)] for key in ("train", "dev", "test")})
    assert [read_split(path, split)[0].id for split in ("train", "val", "test")] == [
        "train",
        "dev",
        "test",
    ]
    assert len(reads) == 1
    assert not layouts._unread
    read_split(path, "test")
    assert len(reads) == 2


def test_a_mag_file_that_changed_is_read_again(tmp_path):
    path = save(tmp_path, {key: [mag_entry(name=key)] for key in ("train", "dev", "test")})
    read_split(path, "train")
    save(tmp_path, {key: [mag_entry(name=f"new {key}")] for key in ("train", "dev", "test")})
    os.utime(path, ns=(1, 1))
    assert read_split(path, "val")[0].id == "new dev"


@pytest.mark.parametrize(
    ("name", "video"),
    [
        ("03bSnISJMiM[13]", "03bSnISJMiM"),
        ("03bSnISJMiM$_$13", "03bSnISJMiM"),
        ("100178_4", "100178"),
        ("c7UH_rxdZv4_12", "c7UH_rxdZv4"),
        ("c7UH_rx_123", "c7UH_rx_123"),  # eleven characters: a video id itself
        ("interview", "interview"),
        (b"03bSnISJMiM[13]", "03bSnISJMiM"),
        (np.array(["03bSnISJMiM[13]"]), "03bSnISJMiM"),
        (np.int64(17), "17"),
    ],
)
def test_the_video_of_a_segment_id(tmp_path, name, video):
    (segment,) = read_split(save(tmp_path, [misa_entry(name=name)]), "train")
    assert segment.video == video


@pytest.mark.parametrize(
    "words",
    [
        ("not", "great"),
        np.array(WORDS),
        np.array(WORDS, dtype=object),
        [b"not", b"great"],
        [np.array([b"not"]), np.array([b"great"])],
        np.array([[b"not"], [b"great"]]),
    ],
)
def test_words_come_as_text_whatever_holds_them(tmp_path, words):
    (segment,) = read_split(save(tmp_path, [misa_entry(words=words)]), "train")
    assert segment.words == ("not", "great")
    assert all(type(word) is str for word in segment.words)


@pytest.mark.parametrize(
    ("label", "value"),
    [
        (1.8, 1.8),
        (np.float32(0.5), 0.5),
        ([2], 2.0),
        (np.array([[-1.0, 0, 0, 0, 2, 0, 1]]), -1.0),  # CMU-MOSEI: sentiment, then six emotions
        (None, None),
        (float("nan"), None),
    ],
)
def test_the_label_is_the_sentiment(tmp_path, label, value):
    (segment,) = read_split(save(tmp_path, [misa_entry(label=label)]), "test")
    assert segment.label == value


@pytest.mark.parametrize("missing", [None, np.zeros((2, 0)), np.zeros((0, 0)), np.zeros(0)])
def test_a_modality_that_is_not_there_is_missing(tmp_path, missing):
    (segment,) = read_split(save(tmp_path, [misa_entry(visual=missing)]), "train")
    assert segment.visual is None
    assert segment.acoustic is not None


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (misa_entry()[:2], "expected ((word ids, visual, acoustic, words), label, segment id)"),
        (mag_entry(), "found a tuple of 3"),
        ("text", "found str 'text'"),
        ({"words": 1}, "found a dict of 1"),
        (misa_entry(words="not great"), "expected a list of words, found str 'not great'"),
        (misa_entry(words=[1, 2]), "expected words as text, found int 1"),
        (misa_entry(words=[b"caf\xe9", "x"]), "is no UTF-8 text"),
        (misa_entry(words=[]), "has no words"),
        (
            misa_entry(visual=VISUAL[0]),
            "visual frames as an array of numbers (frames, width), found an array",
        ),
        (misa_entry(visual=np.array([["a", "b"]] * 2)), "visual frames as an array of numbers"),
        (misa_entry(acoustic=[[1, 2], [1, 2]]), "found a list of 2 (list)"),
        (misa_entry(acoustic=ACOUSTIC.astype(object)), "acoustic frames as an array of numbers"),
        (misa_entry(label=np.zeros(3)), "label of one number"),
        (misa_entry(label="good"), "found str 'good'"),
        (misa_entry(label=[[1, 2]]), "found a list of 1 (list)"),
        (misa_entry(label=10**5000), "found a huge whole number"),
        (misa_entry(name=None), "expected a segment id"),
        (misa_entry(name=""), "expected a segment id"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, entry, found):
    path = save(tmp_path, [misa_entry(), entry])
    with pytest.raises(DataError) as error:
        read_split(path, "train")
    assert f"{path}: entry 1" in str(error.value)
    assert found in str(error.value)


def test_a_wrong_entry_of_a_mag_file_is_named(tmp_path):
    path = save(tmp_path, {"train": [], "dev": [mag_entry(), misa_entry()], "test": []})
    with pytest.raises(DataError, match=r"dev entry 1: expected \(\(words, visual"):
        read_split(path, "val")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"a": 1}, "found a dict of 1"),
        ([1, 2], "whose first entry is int 1"),
        (np.zeros((3, 4)), "found an array of shape (3, 4) and type float64"),
        ({"train": 3}, "(MMSA), found a dict of 1"),
    ],
)
def test_an_unknown_layout_says_what_was_found(tmp_path, content, found):
    path = save(tmp_path, content)
    with pytest.raises(DataError) as error:
        read_split(path, "train")
    assert str(path) in str(error.value)
    assert found in str(error.value)


def test_a_layout_that_is_named_wrongly(tmp_path):
    with pytest.raises(DataError, match=r"expected a list of \(\(word ids"):
        read_split(save(tmp_path, {"train": [mag_entry()]}), "train", "misa")
    with pytest.raises(DataError, match="list under 'dev', the val split; found .'train'"):
        read_split(save(tmp_path, {"train": [mag_entry()]}), "val", "mag")


def test_an_entry_repeated_over_and_over_is_refused_at_its_second_time(tmp_path):
    path = save(tmp_path, [misa_entry(visual=np.zeros((2, 10_000)))] * 200_000)
    with pytest.raises(DataError, match=r"abc\[0\] stands twice"):
        read_split(path, "train")


def test_lists_that_hold_themselves_are_refused(tmp_path):
    within = []
    within.append(within)
    for entry in (misa_entry(label=within), misa_entry(words=within), misa_entry(visual=within)):
        with pytest.raises(DataError, match="entry 0"):
            read_split(save(tmp_path, [entry]), "train")


def test_lengths_that_disagree_are_told_with_the_segment_and_the_numbers(tmp_path):
    path = save(tmp_path, [misa_entry(), misa_entry(acoustic=ACOUSTIC[:1], name="abc[7]")])
    with pytest.raises(DataError, match=r"abc\[7\] has 2 words but 1 acoustic frames"):
        read_split(path, "train")


def test_layout_names():
    for layout in ("auto", "misa", "mag", "mmsa", "csd", "folder"):
        check_layout(layout, "dataset_config.mosi.layout")
    with pytest.raises(ConfigError, match="dataset_config.mosi.layout is 'msa'; expected one of"):
        check_layout("msa", "dataset_config.mosi.layout")


def test_real_mosi_reads_the_same_as_misa_and_as_mag(shared, tmp_path):
    folds = shared / "mosi" / "misa_folds"
    content = {}
    for name in ("train", "dev", "test"):
        entries = pickle.loads((folds / f"{name}.pkl").read_bytes())
        content[name] = [((w, v, a), label, i) for (_, v, a, w), label, i in entries]
    mag = save(tmp_path, content)
    for split, name, count in (("train", "train", 141), ("val", "dev", 43), ("test", "test", 45)):
        segments = read_split(folds / f"{name}.pkl", split)
        assert len(segments) == count
        for one, other in zip(segments, read_split(mag, split), strict=True):
            assert (one.id, one.video, one.words, one.label) == (
                other.id,
                other.video,
                other.words,
                other.label,
            )
            assert np.array_equal(one.visual, other.visual)
            assert np.array_equal(one.acoustic, other.acoustic)


def test_the_real_dev_split_of_mosi_is_the_same_in_every_layout(shared, tmp_path):
    real = read_split(shared / "mosi" / "misa_dev.pkl", "val")
    assert len(real) == 229
    # The pickle has no times: every segment gets its place in a video of our own making.
    clips = [int(s.id.split("[")[1].rstrip("]")) for s in real]
    starts = [100.0 * clip for clip in clips]
    timed = [
        replace(s, start=start, end=start + len(s.words))
        for s, start in zip(real, starts, strict=True)
    ]
    everywhere = dict.fromkeys(written_layouts.SPLITS, timed)
    for name, files in {
        "misa": written_layouts.write_misa(tmp_path / "misa", everywhere),
        "mag": written_layouts.write_mag(tmp_path / "mag", everywhere),
        "mmsa": written_layouts.write_mmsa(tmp_path / "mmsa", everywhere, lengths=False),
        "unaligned mmsa": written_layouts.write_mmsa(tmp_path / "mmsa", everywhere, lengths=True),
        "folder": written_layouts.write_folder(tmp_path / "folder", {"val": timed}),
        "csd": written_layouts.write_csd(tmp_path / "csd", {"val": timed}),
    }.items():
        found = {s.id.replace("$_$", "[").rstrip("]"): s for s in read_files([files["val"]], "val")}
        assert len(found) == 229, name
        for one in real:
            other = found[one.id.rstrip("]")]
            assert (one.words, one.video, one.label) == (other.words, other.video, other.label)
            assert np.array_equal(one.visual, other.visual)
            assert np.array_equal(one.acoustic, other.acoustic)
