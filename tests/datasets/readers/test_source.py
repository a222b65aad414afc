"""The files of each split in a source named by the user."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.source import find_source
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
    source = find_source([other])
    assert source.files == {"test": [other]} and source.unnamed == (other,)
    with pytest.raises(ConfigError, match="segments.pkl: names no split, but other files"):
        find_source([named, other])


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
def test_rows_without_a_split_count_as_test_unless_another_one_is_told(tmp_path, name):
    rows = {
        "segments.jsonl": json.dumps({"id": "a", "text": "good"}),
        "segments.csv": "id,text\na,b",
    }
    (tmp_path / name).write_text(rows[name])
    assert find_source([tmp_path]).files == {"test": [tmp_path]}
    assert find_source([tmp_path]).unnamed == (tmp_path,)
    assert find_source([tmp_path], "train").files == {"train": [tmp_path]}


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
    with pytest.raises(DataError, match="no corpus in this folder.*found nothing"):
        find_source([tmp_path])
    (tmp_path / "film.mp4").touch()
    with pytest.raises(DataError, match="no corpus in this folder.*found film.mp4"):
        find_source([tmp_path])
    for name in ("aligned_50.pkl", "unaligned_50.pkl"):
        (tmp_path / name).touch()
    with pytest.raises(DataError, match="name one of aligned_50.pkl, unaligned_50.pkl"):
        find_source([tmp_path])


# Usual arrangements of files


def same_segments(source, corpus):
    return all(
        [s.id for s in read_files(source.files[split], split, elsewhere=source.files[split])]
        == [s.id for s in corpus[split]]
        for split in SPLITS
    )


@pytest.mark.parametrize("layout", WRITERS)
def test_the_one_corpus_in_a_folder_is_found_further_down(tmp_path, corpus, layout):
    WRITERS[layout](tmp_path / "data" / "MOSI" / "processed", corpus)
    (tmp_path / "data" / "Raw").mkdir()
    if layout in ("mag", "mmsa"):  # the readers make the ids unique
        assert set(find_source([tmp_path / "data"]).files) == set(SPLITS)
    else:
        assert same_segments(find_source([tmp_path / "data"]), corpus)


@pytest.mark.parametrize("names", [("train", "dev", "test"), ("my_train", "Valid", "TEST-2")])
def test_files_and_folders_name_their_split_by_a_word(tmp_path, corpus, names):
    for split, name in zip(SPLITS, names, strict=True):
        written = written_layouts.write_misa(tmp_path / "x", dict.fromkeys(SPLITS, corpus[split]))
        (tmp_path / "files").mkdir(exist_ok=True)
        written["train"].rename(tmp_path / "files" / f"{name}.PKL")
        WRITERS["folder"](tmp_path / "folders" / name, {split: corpus[split]})
        convert(
            [tmp_path / "folders" / name],
            split,
            ConversionSettings("mosi"),
            tmp_path / "stores" / name,
        )
    for kind in ("files", "folders", "stores"):
        source = find_source([tmp_path / kind])
        assert list(source.files) == list(SPLITS)
        assert same_segments(source, corpus)


def test_rows_that_name_no_split_take_that_of_their_folder(tmp_path):
    for name in ("train", "val", "test"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "segments.csv").write_text("id,text\na,b\n")
    assert find_source([tmp_path]).files == {s: [tmp_path / s] for s in SPLITS}
    (tmp_path / "dev").symlink_to(tmp_path / "val")
    with pytest.raises(DataError, match="name the same split"):
        find_source([tmp_path])


def test_two_corpora_in_a_folder_are_not_chosen_between(tmp_path, corpus):
    for name in ("mosi", "mosei"):
        WRITERS["misa"](tmp_path / name, corpus)
    with pytest.raises(DataError, match="name one of mosei, mosi"):
        find_source([tmp_path])
    assert same_segments(find_source([tmp_path / "mosi"]), corpus)


def test_of_csd_files_beside_pickles_one_kind_is_named(tmp_path, corpus):
    WRITERS["csd"](tmp_path, corpus)
    WRITERS["misa"](tmp_path, corpus)
    with pytest.raises(
        DataError,
        match="holds .csd files and dev.pkl; choose one with --layout csd or --layout misa",
    ):
        find_source([tmp_path])
    assert find_source([tmp_path], layout="csd").layouts == ("csd",)
    assert find_source([tmp_path], layout="misa").files["val"] == [tmp_path / "dev.pkl"]


def test_links_and_the_home_folder_are_followed(tmp_path, corpus, monkeypatch):
    WRITERS["misa"](tmp_path / "disk", corpus)
    (tmp_path / "link").symlink_to("disk")
    monkeypatch.setenv("HOME", str(tmp_path))
    for path in (tmp_path / "link", Path("~/disk/"), Path("~/link/../disk")):
        assert same_segments(find_source([path]), corpus)
    (tmp_path / "broken").symlink_to("gone")
    with pytest.raises(DataError, match="broken: a link to gone, which cannot be found"):
        find_source([tmp_path / "broken"])
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(DataError, match="circle"):
        find_source([tmp_path / "circle"])
    with pytest.raises(DataError, match="nobody-here"):
        find_source([Path("~nobody-here/mosi")])


def test_a_packed_corpus_is_to_be_unpacked(tmp_path):
    (tmp_path / "mosi.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="mosi.zip: an archive; unpack it"):
        find_source([tmp_path / "mosi.zip"])
    with pytest.raises(DataError, match="no corpus in this folder.*found mosi.zip"):
        find_source([tmp_path])


def test_a_folder_full_of_folders_is_not_searched(tmp_path):
    for number in range(60):
        (tmp_path / f"clip_{number}").mkdir()
    with pytest.raises(DataError, match="no corpus in this folder.*clip_0, clip_1"):
        find_source([tmp_path])


LABELS = (
    "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode\na,1,hi,1,,,,P,train\n"
)


@pytest.mark.parametrize("place", ["Processed", "."])
def test_the_label_table_of_mmsa_is_no_corpus_beside_its_pickles(tmp_path, corpus, place):
    folder = tmp_path / place
    folder.mkdir(exist_ok=True)
    file = WRITERS["mmsa"](folder, corpus)["train"]
    (tmp_path / "label.csv").write_text(LABELS)
    assert find_source([tmp_path]).files == {split: [file] for split in SPLITS}
    # The user has to choose one of two pickles; the message contains a path to type.
    (folder / "unaligned_50.pkl").write_bytes(file.read_bytes())
    with pytest.raises(
        DataError, match=r"more than one possible corpus.*, for example .*\.pkl$"
    ) as error:
        find_source([tmp_path])
    assert "label.csv" not in str(error.value)


def test_a_label_table_alone_and_another_table_are_still_a_corpus(tmp_path):
    (tmp_path / "label.csv").write_text(LABELS)
    assert find_source([tmp_path]).layouts == ("folder",)
    (tmp_path / "own.csv").write_text("id,text,label\na,hi,1\n")
    (tmp_path / "data.pkl").write_bytes(pickle.dumps([]))
    with pytest.raises(DataError, match="name one of data.pkl, own.csv"):
        find_source([tmp_path])
