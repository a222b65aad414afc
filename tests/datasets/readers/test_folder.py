"""A user's folder of segments."""

import json

import numpy as np
import pytest
from damaged_files import FRAMES, HUGE, OBJECTS, npy, npz
from written_layouts import make_segments, write_folder

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError, SegmentError

ROW = {"id": "clip 1", "text": "not great", "label": -1.2}


@pytest.fixture
def write(tmp_path):
    """Return a function that writes rows, as objects or as text, to the list of a folder."""

    def write(*rows, name="segments.jsonl"):
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
        return tmp_path

    return write


def read(path, split="train", layout="auto", elsewhere=()):
    return list(the_segments(read_files([path], split, layout, elsewhere=elsewhere)))


def refusal(path, **options):
    with pytest.raises(DataError) as error:
        read(path, **options)
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("layout", ["auto", "folder"])
def test_segments_with_features(tmp_path, form, layout):
    corpus = {s: make_segments(np.random.default_rng(0), s) for s in ("train", "val", "test")}
    write_folder(tmp_path, corpus, form)
    for split, segments in corpus.items():
        found = read(tmp_path, split, layout, elsewhere=[tmp_path])
        for one, other in zip(found, segments, strict=True):
            for field in ("id", "video", "words", "label", "start", "end"):
                assert getattr(one, field) == getattr(other, field)
            assert np.array_equal(one.frames["visual"], other.frames["visual"])
            assert np.array_equal(one.frames["acoustic"], other.frames["acoustic"])
            assert one.frames["visual"].dtype == np.float32


def test_text_alone_is_enough(write):
    (segment,) = read(write({"id": "one", "text": " Hello  there "}), "test")
    assert segment.words == ("Hello", "there")
    assert segment.frames == {} and segment.label is segment.start is None
    assert segment.video == "one"


def test_words_may_come_one_by_one_and_the_video_may_be_named(write):
    (segment,) = read(write({"id": 7, "words": ["New York", "rocks"], "video": "trip"}))
    assert (segment.id, segment.words, segment.video) == ("7", ("New York", "rocks"), "trip")


def test_rows_without_a_split_belong_to_the_list_that_names_the_folder(write):
    folder = write(ROW)
    for split in ("train", "val", "test"):
        assert len(read(folder, split)) == 1
    assert "rows name no split: the same segments" in refusal(write(ROW), elsewhere=[folder])


def test_a_list_a_split_may_share_one_folder(write, tmp_path):
    write(ROW, name="train.jsonl")
    write({"id": "2", "text": "good"}, name="test.jsonl")
    assert read(tmp_path / "test.jsonl", "test")[0].id == "2"
    assert read(tmp_path / "train.jsonl", "train")[0].id == "clip 1"


def test_valid_and_dev_are_names_of_the_validation_split(write):
    rows = [{"id": name, "text": "a", "split": name} for name in ("valid", "dev", "val", "test")]
    assert [s.id for s in read(write(*rows), "val")] == ["valid", "dev", "val"]


def test_csv_with_a_byte_order_mark_quotes_and_empty_cells(write):
    folder = write("\ufeffid,text,label", '1,"well, ""good""",', "2,fine,0.5", name="segments.csv")
    one, two = read(folder)
    assert one.words == ("well,", '"good"')
    assert (one.label, two.label) == (None, 0.5)


def test_a_segment_without_a_feature_file_lacks_the_modality(write, tmp_path):
    (tmp_path / "visual").mkdir()
    np.savez(tmp_path / "visual" / "b.npz", np.ones((2, 3)))
    one, two = read(write({"id": "a", "text": "x"}, {"id": "b", "text": "y"}))
    assert one.frames.get("visual") is None
    assert two.frames["visual"].tolist() == [[1, 1, 1]] * 2


def test_a_segment_that_cannot_be_used_costs_no_other(write, tmp_path):
    (tmp_path / "visual").mkdir()
    (tmp_path / "visual" / "c.npy").write_bytes(b"damaged")
    rows = [{"id": name, "text": "x"} for name in ("a", "../b", "c", "a", "d")]
    one, up, damaged, twice, two = read_files([write(*rows)], "train")
    assert (one.id, two.id) == ("a", "d")
    for error, message in ((up, "cannot name a file"), (damaged, "c.npy"), (twice, "a occurs")):
        assert isinstance(error, SegmentError)
        assert message in str(error)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["{"], "line 1 is not JSON"),
        (["[" * 100_000], "is not JSON (nested too deeply)"),
        (["[1]"], "object 1: expected an object"),
        (["3"], "line 1: expected an object"),
        ([ROW, ROW], "clip 1 occurs twice"),
        ([ROW | {"id": "../../etc/passwd"}], "cannot name a file"),
        ([ROW | {"id": "/etc/passwd"}], "cannot name a file"),
        ([ROW | {"id": "..\\up"}], "cannot name a file"),
        ([ROW | {"id": ".."}], "cannot name a file"),
        ([ROW | {"id": "a\u0000b"}], "cannot name a file"),
        ([ROW | {"id": " "}], "line 1: expected an 'id', found str ' '"),
        ([{"text": "a"}], "line 1: expected an 'id', found None"),
        ([ROW | {"id": True}], "expected an 'id', found bool True"),
        ([ROW | {"words": ["a"]}], "(clip 1): expected either the segment's 'text' or its 'words'"),
        ([{"id": "a"}], "expected either the segment's 'text' or its 'words'"),
        ([ROW | {"text": "  "}], "the segment has no words"),
        ([ROW | {"text": 3}], "expected the text of the segment, found int 3"),
        ([{"id": "a", "words": [1]}], "expected words as text"),
        ([ROW | {"label": "good"}], "label is str 'good'; expected a number"),
        ([ROW | {"label": True}], "label is bool True; expected a number"),
        ([ROW | {"label": [1]}], "label is a list of 1"),
        ([ROW | {"split": "training"}], "split is str 'training'; expected train, val or test"),
        ([ROW | {"split": 1}], "split is int 1"),
        ([ROW, ROW | {"id": "b", "split": "test"}], "line 1: no 'split', but other rows"),
        ([ROW | {"start": 3, "end": 2}], "from 3.0 to 2.0 s; expected 0 <= start < end"),
        ([ROW | {"start": 3}], "from 3.0 to None s"),
        ([ROW | {"start": float("nan"), "end": 2}], "from nan to 2.0 s"),
        ([ROW | {"video": 3}], "name of the video, found int 3"),
    ],
)
def test_a_wrong_row_is_named(write, rows, message):
    assert message in refusal(write(*rows))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["id,text", "1"], "line 2: not as many cells as columns"),
        (["id,text", "1,a,b"], "line 2: not as many cells as columns"),
        (["id,text,text", "1,a,b"], "a column occurs twice"),
        (["id,words", "1,a"], "a list of words needs JSON lines"),
        (["id,text", '1,"a'], "is not CSV"),
        (["id,text", "1," + "a" * 200_000], "is not CSV (field larger"),
    ],
)
def test_a_wrong_csv_row_is_named(write, rows, message):
    assert message in refusal(write(*rows, name="segments.csv"))


def test_text_in_another_encoding_is_refused(write, tmp_path):
    write(ROW)
    (tmp_path / "segments.jsonl").write_bytes(b'\n{"id": "a", "text": "caf\xe9"}')
    assert "line 2 is not UTF-8 text" in refusal(tmp_path)


def test_two_lists_or_none_in_a_folder(write, tmp_path):
    assert "is a folder without segments.jsonl" in refusal(tmp_path)
    assert "found neither" in refusal(tmp_path, layout="folder")
    write(ROW)
    write("id,text", "1,a", name="segments.csv")
    assert "found both" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("clip 1.npy", npy(OBJECTS, allow_pickle=True), "contains object values; expected numbers"),
        ("clip 1.npz", npz(whole=npy(OBJECTS, allow_pickle=True)), "contains object values"),
        ("clip 1.npy", npy(FRAMES)[:-1], "not a complete file of a numpy array"),
        ("clip 1.npy", npy(FRAMES) + b"x", "not a complete file of a numpy array"),
        ("clip 1.npy", HUGE, "shape (99999, 3) in"),
        ("clip 1.npy", npy(FRAMES).replace(b"(2, 3)", b"(-2,3)"), "not a complete file"),
        ("clip 1.npy", npy(FRAMES).replace(b"{'descr'", b"__import"), "not a complete file"),
        ("clip 1.npy", b"", "not a complete file"),
        ("clip 1.npy", npy(np.array([["a"]])), "contains <U1 values"),
        ("clip 1.npy", npy(FRAMES.astype(complex)), "contains complex128 values"),
        ("clip 1.npy", npy(np.ones(3)), "(frames, width), found an array of shape (3,)"),
        ("clip 1.npz", npz(FRAMES, FRAMES), "expected one array in it, found 2: arr_0.npy"),
        ("clip 1.npz", npz(), "expected one array in it, found 0"),
        ("clip 1.npz", npz(np.zeros((300_000, 10))), "bytes compressed to"),
        ("clip 1.npz", npz(whole=HUGE), "shape (99999, 3) in"),
        ("clip 1.npz", npz(FRAMES)[:-9], "not a complete archive of a numpy array"),
        ("clip 1.npz", npz(text="hello"), "not a complete archive of a numpy array"),
        ("other.npy", npy(FRAMES), "none for a segment in the list"),
    ],
)
def test_a_wrong_feature_file_is_named(write, tmp_path, capsys, name, content, message):
    (tmp_path / "visual").mkdir()
    (tmp_path / "visual" / name).write_bytes(content)
    assert message in refusal(write(ROW))
    assert capsys.readouterr().out == ""


def test_two_feature_files_of_one_segment(write, tmp_path):
    (tmp_path / "acoustic").mkdir()
    for name in ("clip 1.npy", "clip 1.npz"):
        (tmp_path / "acoustic" / name).write_bytes(npy(FRAMES))
    assert " exist; expected one of them" in refusal(write(ROW))


@pytest.mark.parametrize("array", [FRAMES, np.asfortranarray(np.arange(6.0).reshape(2, 3))])
def test_arrays_come_as_they_were_saved(write, tmp_path, array):
    (tmp_path / "visual").mkdir()
    (tmp_path / "visual" / "clip 1.npy").write_bytes(npy(array))
    assert np.array_equal(read(write(ROW))[0].frames["visual"], array)
    (tmp_path / "visual" / "clip 1.npy").unlink()
    (tmp_path / "visual" / "clip 1.npz").write_bytes(npz(array))
    assert np.array_equal(read(write(ROW))[0].frames["visual"], array)


def test_a_folder_of_any_name_is_a_modality(write):
    folder = write(ROW)
    for name in ("gaze", "eda"):
        (folder / name).mkdir()
        np.save(folder / name / "clip 1.npy", np.ones((3, 2), np.float32))
    (segment,) = read(folder)
    assert {m: each.shape for m, each in segment.frames.items()} == {"eda": (3, 2), "gaze": (3, 2)}
    (declared,) = read_files([folder], "train", widths={"gaze": 2, "eda": None})
    assert list(declared.frames) == ["gaze"]
