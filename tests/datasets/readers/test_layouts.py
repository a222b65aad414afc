"""Data files of every layout as segments."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import written_layouts

from mmf_cmsbert.datasets.readers import registry
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.registry import check_layout
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.store import StoredSegments, write_store
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import ConfigError, DataError, DuplicateSegment, SegmentError

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


def recognise(path):
    layout = registry.recognise(path)
    return None if layout is None else layout.name


def read(path, split="train", layout="auto"):
    return list(the_segments(read_files([path], split, layout)))


@pytest.mark.parametrize("layout", ["auto", "misa"])
def test_misa(tmp_path, layout):
    path = save(tmp_path, [misa_entry(), misa_entry(name="abc[1]")])
    first, second = read(path, "train", layout)
    assert (first.id, second.id, first.video) == ("abc[0]", "abc[1]", "abc")
    assert first.words == ("not", "great")
    assert first.frames["visual"].dtype == first.frames["acoustic"].dtype == np.float32
    assert type(first.frames["visual"]) is np.ndarray
    assert np.array_equal(first.frames["visual"], VISUAL)
    assert np.array_equal(first.frames["acoustic"], ACOUSTIC)
    assert first.label == pytest.approx(-1.2)
    assert (first.start, first.end) == (None, None)


@pytest.mark.parametrize("layout", ["auto", "mag"])
def test_mag_gives_the_split_that_is_asked_for(tmp_path, layout):
    content = {split: [mag_entry(name=f"{split}[0]")] for split in ("train", "dev", "test")}
    path = save(tmp_path, content)
    for split, key in (("train", "train"), ("val", "dev"), ("test", "test")):
        (segment,) = read(path, split, layout)
        assert segment.id == f"{key}[0]"
        assert segment.words == ("not", "great")
        assert np.array_equal(segment.frames["visual"], VISUAL)


@pytest.mark.parametrize(
    ("name", "video"),
    [
        ("03bSnISJMiM[13]", "03bSnISJMiM"),
        ("03bSnISJMiM$_$13", "03bSnISJMiM"),
        ("100178_4", "100178"),
        ("c7UH_rxdZv4_12", "c7UH_rxdZv4"),
        ("c7UH_rx_123", "c7UH_rx_123"),  # eleven characters: the id of a video
        ("interview", "interview"),
        (b"03bSnISJMiM[13]", "03bSnISJMiM"),
        (np.array(["03bSnISJMiM[13]"]), "03bSnISJMiM"),
        (np.int64(17), "17"),
    ],
)
def test_the_video_of_a_segment_id(tmp_path, name, video):
    (segment,) = read(save(tmp_path, [misa_entry(name=name)]), "train")
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
    (segment,) = read(save(tmp_path, [misa_entry(words=words)]), "train")
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
    (segment,) = read(save(tmp_path, [misa_entry(label=label)]), "test")
    assert segment.label == value


@pytest.mark.parametrize("missing", [None, np.zeros((2, 0)), np.zeros((0, 0)), np.zeros(0)])
def test_a_modality_that_is_not_there_is_missing(tmp_path, missing):
    (segment,) = read(save(tmp_path, [misa_entry(visual=missing)]), "train")
    assert segment.frames.get("visual") is None
    assert segment.frames.get("acoustic") is not None


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (misa_entry()[:2], "expected ((word ids, visual, acoustic, words), label, segment id)"),
        ("text", "found str 'text'"),
        ({"words": 1}, "found a dict of 1"),
        (misa_entry(words="not great"), "expected a list of words, found str 'not great'"),
        (misa_entry(words=[1, 2]), "expected words as text, found int 1"),
        (misa_entry(words=[b"caf\xe9", "x"]), "is not UTF-8 text"),
        (misa_entry(words=[]), "has no words"),
        (
            misa_entry(visual=VISUAL[0]),
            "visual frames as an array of numbers (frames, width), found an array",
        ),
        (misa_entry(visual=np.array([["a", "b"]] * 2)), "visual frames as an array of numbers"),
        (misa_entry(acoustic=[[1, 2], [1]]), "found a list of 2 (list)"),
        (
            misa_entry(acoustic=ACOUSTIC.astype(str).astype(object)),
            "acoustic frames as an array of numbers",
        ),
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
        read(path, "train")
    assert f"{path}: entry 1" in str(error.value)
    assert found in str(error.value)


def test_a_wrong_entry_of_a_mag_file_is_named(tmp_path):
    path = save(tmp_path, {"train": [], "dev": [mag_entry(), mag_entry()[:2]], "test": []})
    with pytest.raises(DataError, match=r"dev entry 1: expected \(\(words, visual"):
        read(path, "val")


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
        read(path, "train")
    assert str(path) in str(error.value)
    assert found in str(error.value)


@pytest.mark.parametrize("name", ["valid", "val", "Validation", "DEV"])
def test_other_names_of_splits_and_entries_of_misas_form_in_a_mag_file(tmp_path, name):
    path = save(tmp_path, {"TRAIN": [mag_entry()], name: (mag_entry(), misa_entry(name="b"))})
    assert [segment.id for segment in read(path, "val")] == ["abc[0]", "b"]
    assert [segment.id for segment in read(path, "train")] == ["abc[0]"]
    path = save(tmp_path, {"dev": [mag_entry()], "val": [mag_entry()]})
    with pytest.raises(DataError, match="both name the val split; keep one of them"):
        read(path, "val")


def test_a_layout_that_is_named_wrongly(tmp_path):
    with pytest.raises(DataError, match=r"expected a list of \(\(word ids"):
        read(save(tmp_path, {"train": [mag_entry()]}), "train", "misa")
    with pytest.raises(
        DataError, match="no val split; .* a list or tuple under 'val' or 'dev'.*found only 'train'"
    ):
        read(save(tmp_path, {"train": [mag_entry()]}), "val", "mag")


def test_a_segment_that_cannot_be_used_costs_no_other(tmp_path):
    wrong = [misa_entry(label="good", name="b"), misa_entry(acoustic=ACOUSTIC[:1], name="c"), 3]
    path = save(tmp_path, [misa_entry(name="a"), *wrong, misa_entry(name="a"), misa_entry()])
    first, *errors, last = read_files([path], "train")
    assert (first.id, last.id) == ("a", "abc[0]")
    for error, message in zip(
        errors,
        ("entry 1 (b): expected a label", "c has 2 words", "entry 3", "a occurs twice"),
        strict=True,
    ):
        assert isinstance(error, SegmentError)
        assert message in str(error)


def test_an_id_stands_once_in_all_files_together(tmp_path):
    one, other = save(tmp_path, [misa_entry()]), tmp_path / "other.pkl"
    other.write_bytes(pickle.dumps([misa_entry(), misa_entry(name="abc[1]")]))
    found = list(read_files([one, other], "train"))
    assert [type(each) for each in found] == [Segment, DuplicateSegment, Segment]
    assert str(one) in str(found[1])
    assert str(other) in str(found[1])


def test_segments_are_read_one_by_one(tmp_path):
    one, missing = save(tmp_path, [misa_entry()]), tmp_path / "missing.csv"
    segments = read_files([one, missing], "train")
    assert next(segments).id == "abc[0]"
    with pytest.raises(DataError, match="missing.csv: cannot be read"):
        next(segments)


@pytest.mark.parametrize(
    ("times", "message"), [(2_000, r"abc\[0\] occurs twice"), (200_000, "very many times")]
)
def test_an_entry_repeated_over_and_over_is_refused(tmp_path, times, message):
    path = save(tmp_path, [misa_entry(visual=np.zeros((2, 10_000)))] * times)
    with pytest.raises(DataError, match=message):
        read(path)


def test_the_same_frames_in_many_segments_are_refused_before_they_fill_a_disk(tmp_path):
    visual = np.zeros((2, 20_000), np.float32)
    entries = [misa_entry(visual=visual, name=f"abc[{i}]") for i in range(200)]
    segments = read_files([save(tmp_path, entries)], "train")
    with pytest.raises(DataError, match="the segments hold more than 16 times") as error:
        list(segments)
    assert not isinstance(error.value, SegmentError)


@pytest.fixture
def stores(tmp_path):
    for split in ("train", "val"):
        folder = tmp_path / "stores" / split
        folder.mkdir(parents=True)
        segments = written_layouts.make_segments(np.random.default_rng(0), split)
        write_store(folder, segments, sources=[], settings={})
    return tmp_path / "stores"


@pytest.mark.parametrize("layout", ["auto", "store"])
def test_a_folder_of_stores_gives_the_split_that_is_asked_for(stores, layout):
    for split in ("train", "val"):
        expected = written_layouts.make_segments(np.random.default_rng(0), split)
        for path in (stores, stores / split):
            for one, other in zip(read(path, split, layout), expected, strict=True):
                assert (one.id, one.words, one.label) == (other.id, other.words, other.label)
                assert np.array_equal(one.frames["visual"], other.frames["visual"])
    with pytest.raises(DataError, match="no store of the test split; expected a folder test with"):
        read(stores, "test", layout)


def test_a_folder_with_stores_in_it_is_one_whatever_else_lies_there(stores):
    (stores / "segments.csv").write_text("id,text\nother,words\n")
    written_layouts.write_csd(stores, {"train": []})
    assert recognise(stores) == recognise(stores / "train") == "store"
    assert find_source([stores]).layouts == ("store",)
    assert [s.id for s in read(stores, "train")] == [s.id for s in StoredSegments(stores / "train")]


def test_a_layout_that_shows_from_outside_and_one_that_does_not(tmp_path):
    corpus = {"train": written_layouts.make_segments(np.random.default_rng(0), "train")}
    assert recognise(written_layouts.write_folder(tmp_path / "own", corpus)["train"]) == "folder"
    assert recognise(written_layouts.write_csd(tmp_path / "csd", corpus)["train"]) == "csd"
    assert recognise(save(tmp_path, [misa_entry()])) is None
    assert recognise(tmp_path) is None


def test_lists_that_hold_themselves_are_refused(tmp_path):
    within = []
    within.append(within)
    for entry in (misa_entry(label=within), misa_entry(words=within), misa_entry(visual=within)):
        with pytest.raises(DataError, match="entry 0"):
            read(save(tmp_path, [entry]), "train")


def test_lengths_that_disagree_are_told_with_the_segment_and_the_numbers(tmp_path):
    path = save(tmp_path, [misa_entry(), misa_entry(acoustic=ACOUSTIC[:1], name="abc[7]")])
    with pytest.raises(DataError, match=r"abc\[7\] has 2 words but 1 acoustic frames"):
        read(path, "train")


def test_layout_names():
    for layout in ("auto", "misa", "mag", "mmsa", "csd", "folder", "store"):
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
        segments = read(folds / f"{name}.pkl", split)
        assert len(segments) == count
        for one, other in zip(segments, read(mag, split), strict=True):
            assert (one.id, one.video, one.words, one.label) == (
                other.id,
                other.video,
                other.words,
                other.label,
            )
            assert np.array_equal(one.frames["visual"], other.frames["visual"])
            assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])


def in_every_layout(folder, segments):
    """Layout -> the file or folder in which ``segments`` are written as the validation split."""
    everywhere, alone = dict.fromkeys(written_layouts.SPLITS, segments), {"val": segments}
    written = {
        "misa": written_layouts.write_misa(folder / "misa", everywhere),
        "mag": written_layouts.write_mag(folder / "mag", everywhere),
        "mmsa": written_layouts.write_mmsa(folder / "mmsa", everywhere, lengths=False),
        "unaligned mmsa": written_layouts.write_mmsa(folder / "mmsa", everywhere, lengths=True),
        "folder": written_layouts.write_folder(folder / "folder", alone),
        "csd": written_layouts.write_csd(folder / "csd", alone),
    }
    (folder / "store" / "val").mkdir(parents=True)
    write_store(folder / "store" / "val", segments, sources=[], settings={})
    return {name: files["val"] for name, files in written.items()} | {"store": folder / "store"}


def assert_same(found, expected):
    found = {s.id.replace("$_$", "[").rstrip("]"): s for s in found}
    assert len(found) == len(expected)
    for one in expected:
        other = found[one.id.rstrip("]")]
        assert (one.words, one.video, one.label) == (other.words, other.video, other.label)
        assert np.array_equal(one.frames["visual"], other.frames["visual"])
        assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])


def test_segments_are_the_same_in_every_layout(tmp_path):
    segments = written_layouts.make_segments(np.random.default_rng(0), "val")
    for path in in_every_layout(tmp_path, segments).values():
        assert_same(read(path, "val"), segments)


def test_the_real_dev_split_of_mosi_is_the_same_in_every_layout(shared, tmp_path):
    real = read(shared / "mosi" / "misa_dev.pkl", "val")
    assert len(real) == 229
    # The pickle has no times: every segment gets a time in a synthetic video.
    clips = [int(s.id.split("[")[1].rstrip("]")) for s in real]
    timed = [
        replace(s, start=100.0 * clip, end=100.0 * clip + len(s.words))
        for s, clip in zip(real, clips, strict=True)
    ]
    for path in in_every_layout(tmp_path, timed).values():
        assert_same(read(path, "val"), real)


def test_files_that_know_it_say_how_many_segments_will_come(tmp_path):
    rng = np.random.default_rng(0)
    corpus = {
        s: written_layouts.make_segments(rng, s, 3 + i)
        for i, s in enumerate(written_layouts.SPLITS)
    }
    for write in (written_layouts.write_misa, written_layouts.write_mag):
        for split, file in write(tmp_path, corpus).items():
            counts = []
            stream = read_files([file], split, on_count=counts.append)
            assert counts == []  # nothing is read before it is needed
            assert len(list(stream)) == sum(counts) == len(corpus[split])
    mmsa = written_layouts.write_mmsa(tmp_path, corpus, lengths=True)["val"]
    counts = []
    list(read_files([mmsa, tmp_path / "dev.pkl"], "test", on_count=counts.append))
    assert counts == [5, 4]
