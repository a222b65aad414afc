"""Segments written in the MISA layout."""

import pickle
import pickletools
from dataclasses import replace

import numpy as np
import pytest
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.datasets.misa_writer import write_misa
from mmf_cmsbert.datasets.readers.layouts import read_files
from mmf_cmsbert.errors import DataError

WIDTHS = {"visual": 5, "acoustic": 4}


@pytest.fixture
def corpus():
    return {split: make_segments(np.random.default_rng(3), split) for split in SPLITS}


def same(one, other):
    return (one.id, one.words, one.label) == (other.id, other.words, other.label) and all(
        np.array_equal(getattr(one, m), getattr(other, m)) for m in WIDTHS
    )


def test_what_is_written_is_read_as_the_same_segments(tmp_path, corpus):
    written = write_misa(tmp_path, {s: iter(each) for s, each in corpus.items()}, WIDTHS)
    assert [file.name for file in written.files.values()] == ["train.pkl", "dev.pkl", "test.pkl"]
    for split, file in written.files.items():
        read = list(read_files([file], split, "misa"))
        assert all(map(same, read, corpus[split])) and len(read) == len(corpus[split])


def test_others_read_plain_arrays_of_the_published_types(tmp_path, corpus):
    (path, *_) = write_misa(tmp_path, corpus, WIDTHS).files.values()
    content = pickle.loads(path.read_bytes())
    assert isinstance(content, list) and len(content) == 6
    (ids, visual, acoustic, words), label, name = content[0]
    first = corpus["train"][0]
    assert (type(words), type(name), name) == (list, str, first.id)
    assert ids.dtype == np.int64 and ids.shape == (len(words),)
    assert visual.dtype == acoustic.dtype == label.dtype == np.float32
    assert type(visual) is np.ndarray and visual.shape == (len(words), 5)
    assert label.shape == (1, 1)


def test_numpy_1_finds_everything_that_the_pickle_names(tmp_path, corpus):
    (path, *_) = write_misa(tmp_path, corpus, WIDTHS).files.values()
    named = {
        arg
        for opcode, arg, _ in pickletools.genops(path.read_bytes())
        if arg is not None and opcode.name in ("GLOBAL", "PROTO")
    }
    assert named == {3, "numpy.core.multiarray _reconstruct", "numpy ndarray", "numpy dtype"}


def test_word_ids_are_those_of_one_vocabulary_for_all_splits(tmp_path, corpus):
    written = write_misa(tmp_path, corpus, WIDTHS)
    for path in written.files.values():
        for (ids, _, _, words), _, _ in pickle.loads(path.read_bytes()):
            assert ids.tolist() == [written.word_ids[word] for word in words]
    assert sorted(written.word_ids.values()) == list(range(2, 2 + len(written.word_ids)))


def test_a_missing_modality_becomes_zeros_and_a_missing_label_nan(tmp_path, corpus):
    lacking = replace(corpus["val"][0], visual=None, label=None)
    written = write_misa(tmp_path, {"val": [lacking, corpus["val"][1]]}, WIDTHS)
    assert written.filled == {"visual": 1}
    read, _ = read_files([written.files["val"]], "val")
    assert read.label is None
    assert np.array_equal(read.visual, np.zeros((len(lacking.words), 5)))


def test_what_the_layout_cannot_hold_is_refused(tmp_path, corpus):
    segment = corpus["train"][0]
    with pytest.raises(DataError, match="words but 1 visual frames; MISA.*--to store"):
        write_misa(tmp_path, {"train": [replace(segment, visual=segment.visual[:1])]}, WIDTHS)
    with pytest.raises(DataError, match="no segment has acoustic frames.*--to store"):
        write_misa(tmp_path, {"train": [replace(segment, acoustic=None)]}, {"visual": 5})
