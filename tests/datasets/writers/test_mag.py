"""The file that MAG-BERT's loader reads."""

import pickle
import pickletools
from dataclasses import replace

import numpy as np
import pytest
from written_layouts import SPLITS, make_segments, with_frames

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.writers.mag import write_mag
from mmf_cmsbert.errors import DataError

WIDTHS = {"visual": 5, "acoustic": 4}


@pytest.fixture
def corpus():
    return {split: make_segments(np.random.default_rng(3), split) for split in SPLITS}


def same(one, other):
    return (one.id, one.words, one.label) == (other.id, other.words, other.label) and all(
        np.array_equal(one.frames[m], other.frames[m]) for m in WIDTHS
    )


def test_what_is_written_is_read_as_the_same_segments(tmp_path, corpus):
    written = write_mag(tmp_path, {s: iter(each) for s, each in corpus.items()}, WIDTHS, "mosi")
    assert set(written.files.values()) == {tmp_path / "mosi.pkl"}
    for split in SPLITS:
        read = list(read_files([tmp_path / "mosi.pkl"], split))
        assert all(map(same, read, corpus[split])) and len(read) == len(corpus[split])


def test_the_driver_finds_its_splits_and_the_published_types(tmp_path, corpus):
    write_mag(tmp_path, corpus, WIDTHS, "mosei")
    content = pickle.loads((tmp_path / "mosei.pkl").read_bytes())
    assert list(content) == ["train", "dev", "test"]
    (words, visual, acoustic), label, name = content["dev"][1]
    second = corpus["val"][1]
    assert (words, label, name) == (list(second.words), second.label, second.id)
    assert [type(each) for each in (words, visual, label)] == [list, np.ndarray, float]
    assert visual.shape == (len(words), 5) and acoustic.shape == (len(words), 4)


def test_the_pickle_names_arrays_and_nothing_else(tmp_path, corpus):
    write_mag(tmp_path, corpus, WIDTHS, "mosi")
    opcodes = pickletools.genops((tmp_path / "mosi.pkl").read_bytes())
    named = {arg for opcode, arg, _ in opcodes if opcode.name in ("GLOBAL", "STACK_GLOBAL")}
    assert named == {"numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}


def test_what_the_driver_has_to_be_told_is_said(tmp_path, corpus):
    written = write_mag(tmp_path, {"test": corpus["test"]}, WIDTHS, "mosi")
    assert "ACOUSTIC_DIM = 4 and VISUAL_DIM = 5" in written.notes[0]
    assert "needs train and dev as well" in written.notes[1]
    unlabelled = [replace(with_frames(corpus["test"][0], acoustic=None), label=None)]
    written = write_mag(tmp_path, {"test": unlabelled}, WIDTHS, "mosi")
    assert written.filled == {"acoustic": 1} and written.unlabelled == {"test": 1}
    (read,) = read_files([tmp_path / "mosi.pkl"], "test")
    assert read.label is None and not read.frames["acoustic"].any()


def test_what_the_loader_cannot_take_is_refused(tmp_path, corpus):
    segment = corpus["train"][0]
    for wrong, why in (
        (
            with_frames(segment, visual=segment.frames["visual"][:1]),
            "MAG-BERT's layout.*--to store",
        ),
        (replace(segment, words=("\u200b",) * len(segment.words)), "no visible text"),
    ):
        with pytest.raises(DataError, match=why):
            write_mag(tmp_path, {"train": [wrong]}, WIDTHS, "mosi")
