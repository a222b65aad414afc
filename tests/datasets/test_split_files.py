"""The files of each split named by ``source``, ``annotations`` and ``data_dir``."""

import json
from pathlib import Path

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.config.schemas.corpora import DATASETS
from mmf_cmsbert.datasets.split_files import read_split_files
from mmf_cmsbert.errors import ConfigError, DataError

NAMES = dict(zip(SPLITS, ("train.pkl", "dev.pkl", "test.pkl"), strict=True))


@pytest.fixture
def corpus():
    return {split: make_segments(np.random.default_rng(3), split) for split in SPLITS}


def split_files(layout="auto", name="mosi", annotations=None, **given):
    files = DATASETS[name].shipped_annotations() | (annotations or {})
    given = {"data_dir": "/nowhere", "annotations": files, "layout": layout} | given
    return read_split_files(DATASETS[name], name, given)


def found(files):
    return {split: files.of(split) for split in SPLITS}


def test_a_source_says_where_every_split_is(tmp_path, corpus):
    written = written_layouts.write_misa(tmp_path / "misa", corpus)
    expected = {split: [written[split]] for split in SPLITS}
    assert found(split_files(source=str(tmp_path / "misa"))) == expected
    assert found(split_files(source=f"{tmp_path}/")) == expected
    assert found(split_files(source=[str(written[split]) for split in SPLITS])) == expected
    mag = written_layouts.write_mag(tmp_path / "mag", corpus)["train"]
    files = split_files(source=str(mag))
    assert found(files) == dict.fromkeys(SPLITS, [mag])
    assert files.shared("val") == {mag}


def test_a_relative_source_is_one_of_the_working_folder_or_of_data_dir(
    tmp_path, corpus, monkeypatch
):
    (tmp_path / "working").mkdir()
    monkeypatch.chdir(tmp_path / "working")
    written_layouts.write_misa(tmp_path / "data" / "mosi", corpus)
    files = split_files(source="mosi", data_dir=str(tmp_path / "data"))
    assert files.of("val") == [tmp_path / "data/mosi/dev.pkl"]
    written_layouts.write_misa(Path("mosi"), corpus)
    assert files.of("val") == [tmp_path / "working/mosi/dev.pkl"]
    with pytest.raises(DataError, match="source=gone.*working/gone and .*data/gone"):
        split_files(source="gone", data_dir=str(tmp_path / "data")).of("train")


@pytest.mark.parametrize("where", ["", "mosi", "mosi/processed"])
def test_data_dir_holds_the_files_or_the_folder_of_the_dataset(tmp_path, corpus, where):
    written = written_layouts.write_misa(tmp_path / where, corpus)
    (tmp_path / where / "dev.pkl").rename(tmp_path / where / "valid.pkl")
    files = split_files(data_dir=str(tmp_path))
    for split in ("train", "test"):
        assert files.of(split) == [written[split]]
    assert files.of("val") == [tmp_path / where / "valid.pkl"]


def test_another_datasets_folder_in_data_dir_is_not_taken(tmp_path, corpus):
    written_layouts.write_misa(tmp_path / "mosei", corpus)
    with pytest.raises(DataError, match="mosi: no data file for the train split"):
        split_files(data_dir=str(tmp_path)).of("train")


def test_a_split_that_is_missing_beside_others_is_not_taken_from_elsewhere(tmp_path, corpus):
    written_layouts.write_misa(tmp_path / "mosi", corpus)
    written_layouts.write_misa(tmp_path, corpus)
    (tmp_path / "mosi" / "dev.pkl").unlink()
    files = split_files(data_dir=str(tmp_path))
    assert files.of("train") == [tmp_path / "mosi" / "train.pkl"]
    with pytest.raises(DataError, match="no data file for the val split"):
        files.of("val")


def test_a_folder_under_annotations_gives_the_file_of_that_split(tmp_path, corpus):
    written = written_layouts.write_misa(tmp_path, corpus)
    files = split_files(annotations=dict.fromkeys(SPLITS, [str(tmp_path)]))
    assert found(files) == {split: [written[split]] for split in SPLITS}
    written["val"].unlink()
    with pytest.raises(
        DataError, match="annotations.val: .*it has no val split, only train and te"
    ):
        files.of("val")


def test_segments_that_name_no_split_are_for_testing(tmp_path):
    row = {"id": "clip", "text": "I enjoyed it"}
    (tmp_path / "segments.jsonl").write_text(json.dumps(row))
    files = split_files(source=str(tmp_path))
    assert files.of("test") == [tmp_path]
    with pytest.raises(DataError, match="it has no train split. No split is named in it"):
        files.of("train")


def test_a_source_and_annotations_are_two_answers():
    with pytest.raises(
        ConfigError, match="source is /a, and .*annotations.val is .*/b.*both name the data"
    ):
        split_files(source="/a", annotations={"val": ["/b"]})
    with pytest.raises(ConfigError, match="source is 7; expected"):
        split_files(source=7)


@pytest.mark.parametrize("name", ["mosi", "mosei"])
def test_where_there_is_no_data_the_ways_to_it_are_named(tmp_path, name):
    with pytest.raises(DataError) as error:
        split_files(name=name, data_dir=str(tmp_path)).of("val")
    message = str(error.value)
    assert str(tmp_path / name / "dev.pkl") in message
    for way in (
        f"dataset_config.{name}.source=",
        f"dataset_config.{name}.data_dir=",
        f"cmsbert data download {name}",
        "make demo",
    ):
        assert way in message
