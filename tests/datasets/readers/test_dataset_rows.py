"""Hugging Face datasets of any structure give the same segments."""

import csv
import json

import numpy as np
import pytest
from written_layouts import SPLITS, make_segments

datasets = pytest.importorskip("datasets", reason="writes and reads Hugging Face datasets")
from datasets import Array2D, ClassLabel, Dataset, DatasetDict, Features, List, Value  # noqa: E402

from mmf_cmsbert.datasets.readers.reading import read_files  # noqa: E402
from mmf_cmsbert.datasets.readers.source import find_source  # noqa: E402
from mmf_cmsbert.datasets.segment import Segment  # noqa: E402
from mmf_cmsbert.errors import DataError, SegmentError  # noqa: E402

SEGMENTS = {split: make_segments(np.random.default_rng(3), split) for split in SPLITS}
NAMES = {"train": "train", "val": "validation", "test": "test"}
FRAMES = {
    "nested": (List(List(Value("float32"))), List(List(Value("float32")))),
    "fixed width": (List(List(Value("float32"), length=5)), List(List(Value("float32"), length=4))),
    "Array2D": (Array2D((None, 5), "float32"), Array2D((None, 4), "float32")),
    "float64": (List(List(Value("float64"))), List(List(Value("float64")))),
    "flat": (List(Value("float32")), List(Value("float32"))),
}


def rows(split, flat=False):
    return [
        {
            "id": each.id,
            "words": list(each.words),
            "label": each.label,
            "start": each.start,
            "end": each.end,
            "visual": (
                each.frames["visual"].reshape(-1) if flat else each.frames["visual"]
            ).tolist(),
            "acoustic": (
                each.frames["acoustic"].reshape(-1) if flat else each.frames["acoustic"]
            ).tolist(),
        }
        for each in SEGMENTS[split]
    ]


def dataset(split, kind="nested"):
    visual, acoustic = FRAMES[kind]
    features = Features(
        {
            "id": Value("string"),
            "words": List(Value("string")),
            "label": Value("float64"),
            "start": Value("float64"),
            "end": Value("float64"),
            "visual": visual,
            "acoustic": acoustic,
        }
    )
    return Dataset.from_list(rows(split, kind == "flat"), features=features)


def read(path, split="train", **stated):
    return list(read_files(find_source([path]).files[split], split, **stated))


def the_same(found, split="train"):
    expected = SEGMENTS[split]
    assert [each.id for each in found] == [each.id for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one.video, one.words, one.label) == (other.video, other.words, other.label)
        assert (one.start, one.end) == (other.start, other.end)
        for modality in ("visual", "acoustic"):
            ours = one.frames.get(modality)
            assert ours.dtype == np.float32 and np.array_equal(ours, other.frames.get(modality))
    return True


@pytest.mark.parametrize("kind", FRAMES)
def test_parquet_of_every_type_of_frames(tmp_path, kind):
    dataset("train", kind).to_parquet(tmp_path / "train.parquet")
    widths = {"visual": 5, "acoustic": 4} if kind == "flat" else None
    assert the_same(read(tmp_path / "train.parquet", widths=widths))


def test_a_saved_dataset_dict_has_its_splits(tmp_path):
    DatasetDict({NAMES[split]: dataset(split) for split in SPLITS}).save_to_disk(tmp_path / "disk")
    for split in SPLITS:
        assert the_same(read(tmp_path / "disk", split), split)


def test_a_saved_dataset_is_one_split(tmp_path):
    dataset("test").save_to_disk(tmp_path / "some")
    assert the_same(read(tmp_path / "some", "test"), "test")


@pytest.mark.parametrize("name", ["data/{}-00000-of-00001.parquet", "{}.parquet"])
def test_a_folder_of_parquet_files_as_in_repositories_of_the_hub(tmp_path, name):
    (tmp_path / "data").mkdir()
    for split in SPLITS:
        dataset(split).to_parquet(tmp_path / name.format(NAMES[split]))
    assert set(find_source([tmp_path]).files) == set(SPLITS)
    for split in SPLITS:
        assert the_same(read(tmp_path, split), split)


def test_json_lines_with_frames(tmp_path):
    file = tmp_path / "train.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows("train")))
    assert the_same(read(file))


def test_a_list_of_texts_without_ids(tmp_path):
    with open(tmp_path / "test.csv", "w", newline="") as file:
        csv.writer(file).writerows([["text", "label"], ["so good", 2.5], ["so bad", -1]])
    found = read(tmp_path / "test.csv", "test")
    assert [(s.id, s.video, s.words, s.label) for s in found] == [
        ("test-0", "test-0", ("so", "good"), 2.5),
        ("test-1", "test-1", ("so", "bad"), -1.0),
    ]


def test_columns_of_other_names(tmp_path):
    names = {"id": "utterance", "words": "tokens", "label": "y", "visual": "face"}
    dataset("train").rename_columns(names).to_parquet(tmp_path / "train.parquet")
    assert the_same(read(tmp_path / "train.parquet", columns=names))


def test_classes_are_labels_by_their_names_or_as_stated(tmp_path):
    features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
    given = Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=features)
    given.to_parquet(tmp_path / "train.parquet")
    stated = {"bad": -1.0, "good": 2.0}
    found = read(tmp_path / "train.parquet", label_values=stated)
    assert [each.label for each in found] == [-1.0, 2.0]
    for each in read(tmp_path / "train.parquet"):
        assert isinstance(each, SegmentError)
        assert "one of the classes bad, good; expected a number" in str(each)
    numbered = given.cast_column("label", ClassLabel(names=["-1.5", "3"]))
    numbered.to_parquet(tmp_path / "test.parquet")
    assert [s.label for s in read(tmp_path / "test.parquet", "test")] == [-1.5, 3.0]


def test_a_missing_modality_is_missing_and_not_zeros(tmp_path):
    given = dataset("train").to_list()
    given[1]["visual"], given[2]["acoustic"] = None, []
    Dataset.from_list(given, features=dataset("train").features).to_parquet(
        tmp_path / "train.parquet"
    )
    found = read(tmp_path / "train.parquet")
    assert (
        found[1].frames.get("visual") is None
        and found[2].frames.get("acoustic") is None
        and found[0].frames.get("visual") is not None
    )


@pytest.mark.parametrize(
    "change, message",
    [
        ({"visual": [[1.0], [1.0, 2.0]]}, "frames of 1 and of 2 numbers; expected one width"),
        ({"visual": [[1.0, None]]}, "expected numbers as visual frames, found 1 nulls"),
        ({"visual": [None]}, "1 of the visual frames are null"),
        ({"words": []}, "has no words"),
        ({"start": 3.0, "end": 1.0}, "expected seconds with 0 <= start < end"),
        ({"end": None}, "expected seconds with 0 <= start < end"),
    ],
)
def test_a_row_that_cannot_be_used_is_an_error_and_the_others_are_read(tmp_path, change, message):
    given = dataset("train").to_list()
    given[1] |= change
    Dataset.from_list(given, features=dataset("train").features).to_parquet(
        tmp_path / "train.parquet"
    )
    found = read(tmp_path / "train.parquet")
    assert isinstance(found[1], SegmentError) and message in str(found[1])
    assert "train.parquet: row 1" in str(found[1])
    assert all(isinstance(each, Segment) for n, each in enumerate(found) if n != 1)


def test_flat_frames_need_their_width(tmp_path):
    dataset("train", "flat").to_parquet(tmp_path / "train.parquet")
    message = r"numbers in a flat list of visual frames; type .*features\.visual=WIDTH"
    for each in read(tmp_path / "train.parquet"):
        assert isinstance(each, SegmentError)
    with pytest.raises(SegmentError, match=message):
        raise each


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / "train.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"train\.parquet: cannot be read"):
        read(tmp_path / "train.parquet")


def test_a_card_that_names_data_elsewhere_is_refused(tmp_path):
    dataset("train").to_parquet(tmp_path / "train.parquet")
    inside = tmp_path / "repository"
    inside.mkdir()
    dataset("train").to_parquet(inside / "x.parquet")
    (inside / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: train\n    path: ../train.parquet\n---\n"
    )
    with pytest.raises(DataError, match="which is not in the folder; refused|cannot be read"):
        read(inside)


def test_splits_that_are_not_there_are_listed(tmp_path):
    DatasetDict({"train": dataset("train"), "extra": dataset("test")}).save_to_disk(tmp_path / "d")
    with pytest.raises(DataError, match="no val split; its splits are train, extra"):
        list(read_files([tmp_path / "d"], "val"))
