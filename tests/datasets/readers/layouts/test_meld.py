"""MELD's tables and acoustic vectors."""

import numpy as np
import pytest
from written_corpora import meld_tables, pickled

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.validation import the_segments
from mmf_cmsbert.errors import DataError, SegmentError


@pytest.fixture
def folder(tmp_path):
    return meld_tables(tmp_path / "MELD")


def read(path, split="train", **options):
    return list(the_segments(read_files([path], split, **options)))


def test_the_folder_has_three_splits(folder):
    source = find_source([folder])
    assert source.layouts == ("meld",)
    assert source.files == dict.fromkeys(("train", "val", "test"), [folder])


def test_a_single_table_is_read_by_the_split_in_its_name(folder):
    file = folder / "dev_sent_emo.csv"
    assert find_source([file]).files == {"val": [file]}
    assert [s.id for s in read(file, "val")] == [s.id for s in read(folder, "val")]


def test_an_utterance_has_text_class_times_and_vector(folder):
    segment = read(folder, "val")[4]
    assert segment.id == "val_dia1_utt1"
    assert segment.video == "val_dia1"
    assert " ".join(segment.words) == "dev, I am fine really"
    assert segment.metadata["emotion"] == "joy"
    assert segment.metadata["sentiment"] == "positive"
    assert (segment.start, segment.end) == (14.5, 15.75)
    assert segment.metadata["speaker"] == "Joey"
    assert segment.frames["acoustic"].shape == (1, 9)


def test_the_vectors_are_those_of_the_split(folder):
    found = {split: read(folder, split)[0].frames["acoustic"] for split in ("train", "val", "test")}
    assert not np.array_equal(found["train"], found["val"])
    assert not np.array_equal(found["val"], found["test"])


def test_the_context_is_that_of_the_dialogue(folder):
    found = read(folder, "test", context=2)
    own = read(folder, "test")
    assert found[2].words == (*own[0].words, "[SEP]", *own[1].words, "[SEP]", *own[2].words)
    assert found[3].words == own[3].words  # the first of the next dialogue


def test_text_alone_is_read_without_the_vectors(tmp_path):
    folder = meld_tables(tmp_path, acoustic=0)
    assert all(segment.frames.get("acoustic") is None for segment in read(folder))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",0,0,8,", ",zero,0,8,", r"Dialogue_ID is str 'zero'; expected a whole number"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(folder, old, new, message):
    file = folder / "train_sent_emo.csv"
    file.write_text(file.read_text().replace(old, new, 1))
    first, *others = read_files([folder], "train")
    assert isinstance(first, SegmentError)
    with pytest.raises(SegmentError, match=rf"train_sent_emo.csv: line 2: {message}"):
        raise first
    assert len(others) == 5


@pytest.mark.parametrize("times", ["0:00:10.500", "soon", "99:00:10,500"])
def test_times_that_are_out_of_order_or_unreadable_are_unknown(folder, times):
    file = folder / "train_sent_emo.csv"
    file.write_text(file.read_text().replace("0:00:10,500", times, 1))
    segment = read(folder)[0]
    assert (segment.start, segment.end) == ((10.5, 11.75) if "." in times else (None, None))


def test_a_missing_table_and_other_vectors_are_named(folder):
    (folder / "dev_sent_emo.csv").unlink()
    with pytest.raises(DataError, match="no val split, such as val_sent_emo.csv"):
        read(folder, "val")
    pickled(folder / "audio_embeddings_feature_selection_emotion.pkl", {"0_0": [1.0]})
    with pytest.raises(DataError, match="expected three dicts, of training, validation and test"):
        read(folder)
