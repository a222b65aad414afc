"""What a user points at as a corpus, and the files of each split that it means."""

import json
import pickle

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.datasets.readers.layouts import read_files
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.stores.conversion import ConversionSettings, convert
from mmf_cmsbert.errors import ConfigError, DataError

WRITERS = {
    "misa": written_layouts.write_misa,
    "mag": written_layouts.write_mag,
    "mmsa": lambda folder, corpus: written_layouts.write_mmsa(folder, corpus, lengths=False),
    "csd": written_layouts.write_csd,
    "folder": written_layouts.write_folder,
}


@pytest.fixture
def corpus():
    rng = np.random.default_rng(3)
    return {split: make_segments(rng, split) for split in SPLITS}


@pytest.mark.parametrize("layout", WRITERS)
def test_every_layout_is_found_and_its_files_are_read(tmp_path, corpus, layout):
    files = WRITERS[layout](tmp_path, corpus)
    named = tmp_path if layout in ("misa", "csd", "folder") else files["train"]
    source = find_source([named])
    assert (source.files, source.layouts) == ({s: [files[s]] for s in SPLITS}, (layout,))
    for split, paths in source.files.items():
        assert len(list(read_files(paths, split, elsewhere=paths))) == len(corpus[split])


@pytest.mark.parametrize("protocol", range(6))
def test_the_kind_of_a_pickle_shows_in_its_first_instructions(tmp_path, protocol):
    contents = {"misa": [((1, 2), 0.0, "a")], "mag": {"train": [1]}, "mmsa": {"train": {"id": []}}}
    for layout, content in contents.items():
        path = tmp_path / layout
        path.write_bytes(pickle.dumps(content, protocol))
        assert find_source([path], "train").layouts == (layout,)


@pytest.mark.parametrize(
    "content", [b"", b"no pickle", b"\x80\x04X\xff\xff\xff\x7f", b"\x80\x04N."]
)
def test_what_is_no_such_pickle_is_left_to_its_reader(tmp_path, content):
    path = tmp_path / "data.pkl"
    path.write_bytes(content)
    source = find_source([path])
    assert source.layouts == ("auto",)
    assert source.files == {split: [path] for split in SPLITS}


@pytest.mark.parametrize("name", ["dev.pkl", "val.pkl", "valid.pickle"])
def test_the_validation_split_has_many_names(tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps([]))
    assert find_source([tmp_path]).files == {"val": [tmp_path / name]}


def test_two_files_for_one_split_in_a_folder_are_not_chosen_between(tmp_path):
    for name in ("dev.pkl", "valid.pkl"):
        (tmp_path / name).write_bytes(pickle.dumps([]))
    with pytest.raises(DataError, match="dev.pkl and valid.pkl both name the same split"):
        find_source([tmp_path])


def test_a_file_of_one_split_says_which_by_its_name_or_is_told(tmp_path):
    named, other = tmp_path / "misa_dev.pkl", tmp_path / "segments.pkl"
    for path in (named, other):
        path.write_bytes(pickle.dumps([]))
    assert find_source([named]).files == {"val": [named]}
    assert find_source([named], "test").files == {"test": [named]}
    assert find_source([other], "train").files == {"train": [other]}
    with pytest.raises(ConfigError, match="segments.pkl: holds one split.*--split train"):
        find_source([other])


def test_of_many_splits_one_can_be_wanted(tmp_path, corpus):
    files = WRITERS["mag"](tmp_path, corpus)
    assert find_source([files["val"]], "val").files == {"val": [files["val"]]}


def test_several_sources_are_put_together(tmp_path, corpus):
    files = WRITERS["misa"](tmp_path, corpus)
    own = tmp_path / "own"
    WRITERS["folder"](own, {"train": corpus["test"]})
    source = find_source([files["train"], own, files["test"]])
    assert source.files == {"train": [files["train"], own], "test": [files["test"]]}
    assert source.layouts == ("misa", "folder")


@pytest.mark.parametrize("name", ["segments.jsonl", "segments.csv"])
def test_rows_without_a_split_need_to_be_told_theirs(tmp_path, name):
    rows = {
        "segments.jsonl": json.dumps({"id": "a", "text": "good"}),
        "segments.csv": "id,text\na,b",
    }
    (tmp_path / name).write_text(rows[name])
    with pytest.raises(ConfigError, match="its rows name none; type --split"):
        find_source([tmp_path])
    assert find_source([tmp_path], "test").files == {"test": [tmp_path]}


def test_only_the_splits_that_rows_name_are_there(tmp_path):
    (tmp_path / "segments.csv").write_text("id,text,split\na,b,dev\nc,d,train\n")
    assert list(find_source([tmp_path]).files) == ["train", "val"]
    with pytest.raises(DataError, match="there is no test split"):
        find_source([tmp_path], "test")


@pytest.mark.parametrize("text", ["{", "[1]", '{"id": "a", "split": "tset"}', '{"split": {}}'])
def test_a_damaged_list_is_left_to_its_reader(tmp_path, text):
    (tmp_path / "segments.jsonl").write_text(text)
    assert list(find_source([tmp_path]).files) == list(SPLITS)


def test_a_store_and_one_split_of_it(tmp_path, corpus):
    files = WRITERS["misa"](tmp_path, corpus)
    for split in ("train", "val"):
        convert([files[split]], split, ConversionSettings("mosi"), tmp_path / "store" / split)
    store = tmp_path / "store"
    assert find_source([store]).files == {"train": [store], "val": [store]}
    assert find_source([store / "val"]).files == {"val": [store / "val"]}
    assert find_source([store]).layouts == ("store",)


def test_what_is_not_there_or_holds_no_corpus_is_told(tmp_path):
    with pytest.raises(DataError, match="nowhere: there is no such file or folder"):
        find_source([tmp_path / "nowhere"])
    with pytest.raises(DataError, match="no corpus in this folder.*found none of them"):
        find_source([tmp_path])
    (tmp_path / "aligned_50.pkl").touch()
    with pytest.raises(DataError, match="found aligned_50.pkl; name one of these"):
        find_source([tmp_path])
