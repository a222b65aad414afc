"""The files that MISA's loader reads."""

import pickle
import pickletools
from dataclasses import replace

import numpy as np
import pytest
import torch
from written_layouts import SPLITS, make_segments, with_frames

from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.writers.misa import write_misa
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


def mapping(folder):
    """Read ``embedding_and_mapping.pt`` as MISA's loader does; newer torch loads plain values."""
    return torch.load(folder / "embedding_and_mapping.pt", weights_only=True)


def test_the_mapping_is_of_the_words_of_all_splits(tmp_path, corpus):
    written = write_misa(tmp_path, corpus, WIDTHS)
    vectors, ids = mapping(tmp_path)
    assert type(ids) is dict and list(ids)[:2] == ["<unk>", "<pad>"]
    assert sorted(ids.values()) == list(range(len(ids)))
    assert (vectors.shape, vectors.dtype) == ((len(ids), 300), torch.float32)
    assert vectors.isfinite().all() and vectors.std() > 0.5
    for path in written.files.values():
        for (numbers, _, _, words), _, _ in pickle.loads(path.read_bytes()):
            assert numbers.tolist() == [ids[word] for word in words]
    write_misa(tmp_path, corpus, WIDTHS)
    assert torch.equal(mapping(tmp_path)[0], vectors)


def test_torch_of_misas_time_reads_the_mapping(tmp_path, corpus):
    write_misa(tmp_path, corpus, WIDTHS)
    begins = (tmp_path / "embedding_and_mapping.pt").read_bytes()[:2]
    assert begins != b"PK"  # the format that came with torch 1.6


def test_word_vectors_of_a_file_are_those_of_its_words(tmp_path, corpus):
    glove = tmp_path / "glove.txt"
    lines = ["2 300", "good " + " ".join(["0.5"] * 300), ". . . " + " ".join(["1"] * 300)]
    glove.write_text("\n".join(lines))
    written = write_misa(tmp_path, corpus, WIDTHS, glove)
    vectors, ids = mapping(tmp_path)
    assert (vectors[ids["good"]] == 0.5).all()
    assert len(vectors[ids["film"]].unique()) > 200
    assert f"1 of its {len(ids)} words have a vector in {glove}" in written.notes[0]


@pytest.mark.parametrize("line", ["good 1 2 3", "good" + " x" * 300, "good" + " nan" * 300])
def test_a_file_that_holds_no_word_vectors_is_refused(tmp_path, corpus, line):
    (tmp_path / "glove.txt").write_text(f"\n{line}" if "1" not in line else line)
    with pytest.raises(DataError, match="glove.txt: line .*expected a word and 300 numbers"):
        write_misa(tmp_path, corpus, WIDTHS, tmp_path / "glove.txt")


def test_word_vectors_of_other_words_are_refused(tmp_path, corpus):
    (tmp_path / "glove.txt").write_text("Wort " + " ".join(["1"] * 300))
    with pytest.raises(DataError, match="glove.txt: has no vector for any of the"):
        write_misa(tmp_path, corpus, WIDTHS, tmp_path / "glove.txt")


def test_a_missing_modality_becomes_zeros_and_a_missing_label_nan(tmp_path, corpus):
    lacking = replace(with_frames(corpus["val"][0], visual=None), label=None)
    written = write_misa(tmp_path, {"val": [lacking, corpus["val"][1]]}, WIDTHS)
    assert written.filled == {"visual": 1} and written.unlabelled == {"val": 1}
    assert "train.pkl and test.pkl as well: convert all splits" in written.notes[-1]
    read, _ = read_files([written.files["val"]], "val")
    assert read.label is None
    assert np.array_equal(read.frames["visual"], np.zeros((len(lacking.words), 5)))


def test_what_the_layout_cannot_hold_is_refused(tmp_path, corpus):
    segment = corpus["train"][0]
    with pytest.raises(DataError, match="words but 1 visual frames; MISA.*--to store"):
        cut = with_frames(segment, visual=segment.frames["visual"][:1])
        write_misa(tmp_path, {"train": [cut]}, WIDTHS)
    with pytest.raises(DataError, match="no segment has acoustic frames.*--to store"):
        write_misa(tmp_path, {"train": [with_frames(segment, acoustic=None)]}, {"visual": 5})
