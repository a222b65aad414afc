"""Objects of the library ``datasets`` are written once, and read back as the same segments."""

import numpy as np
import pytest
from written_layouts import make_segments

datasets = pytest.importorskip("datasets", reason="makes the objects")

from datasets import ClassLabel, Dataset, DatasetDict, Features, IterableDataset  # noqa: E402

from mmf_cmsbert.datasets.readers.reading import read_files  # noqa: E402
from mmf_cmsbert.datasets.readers.source import find_source  # noqa: E402
from mmf_cmsbert.datasets.segment import checksum  # noqa: E402
from mmf_cmsbert.datasets.stores.columns import record_batch, schema  # noqa: E402
from mmf_cmsbert.datasets.writers.dataset_objects import write_objects  # noqa: E402
from mmf_cmsbert.errors import ConfigError, DataError  # noqa: E402

COLUMNS = schema({"visual": 5, "acoustic": 4}, checksums=False)
NAMES = {"train": "train", "validation": "val", "test": "test"}


def segments_of(split):
    return make_segments(np.random.default_rng(3), split, 20)


def corpus(changed=lambda rows: rows):
    import pyarrow as pa

    made = {}
    for name, split in NAMES.items():
        table = pa.Table.from_batches([record_batch(segments_of(split), COLUMNS)])
        made[name] = changed(Dataset(table))
    return made


def read(folder):
    files = find_source([folder]).files
    return {split: list(map(checksum, read_files(files[split], split))) for split in files}


def texts(*rows, label=(0.5,), features=None):
    given = {"text": list(rows), "label": [*label] * (1 + len(rows) - len(label))}
    return Dataset.from_dict(given, features=features)


@pytest.mark.parametrize(
    "kind",
    [DatasetDict, dict, "IterableDatasetDict", "a generator", "in another order"],
)
def test_what_is_written_is_read_back_as_the_same_segments(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.datasets.readers.dataset_objects._BATCH", 8)
    given = corpus()
    if kind == "IterableDatasetDict":
        streams = {name: rows.to_iterable_dataset() for name, rows in given.items()}
        given = datasets.IterableDatasetDict(streams)
    elif kind == "a generator":
        for name, rows in list(given.items()):
            made = IterableDataset.from_generator(lambda rows=rows: iter(rows))
            given[name] = made.cast(rows.features)
    elif kind == "in another order":
        shuffled = {name: rows.flatten_indices() for name, rows in given.items()}
        given = {
            name: rows.select(range(19, -1, -1)).select(range(19, -1, -1))
            for name, rows in shuffled.items()
        }
    else:
        given = kind(given)
    folder = write_objects(given, tmp_path)
    assert sorted(file.name for file in folder.iterdir()) == [
        "test.arrow",
        "train.arrow",
        "val.arrow",
    ]
    expected = {split: list(map(checksum, segments_of(split))) for split in NAMES.values()}
    assert read(folder) == expected


def test_the_same_rows_are_kept_once_and_others_beside_them(tmp_path):
    first = write_objects({"train": texts("good", "bad")}, tmp_path / "new" / "folder")
    again = write_objects({"train": texts("good", "bad")}, tmp_path / "new" / "folder")
    other = write_objects({"train": texts("good", "worse")}, tmp_path / "new" / "folder")
    assert first == again != other
    assert {each.name for each in first.parent.iterdir()} == {first.name, other.name}


def test_columns_that_the_user_does_not_see_are_not_written(tmp_path):
    rows = texts("good").add_column("secret", ["x"]).with_format("numpy", columns=["text", "label"])
    folder = write_objects({"train": rows}, tmp_path)
    (segment,) = read_files([folder / "train.arrow"], "train")
    assert (segment.words, segment.label, segment.metadata) == (("good",), 0.5, {})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (texts("good"), r"data is one Dataset, without splits; .*DatasetDict\(train=\.\.\., val"),
        (texts("good").to_iterable_dataset(), "data is one IterableDataset"),
        ({"train": [{"text": "good"}]}, "data is a dict.*expected a datasets.DatasetDict"),
        ({}, "data is a dict.*expected a datasets.DatasetDict"),
        ({"all": texts("good")}, "data has the splits all; expected names such as train; val, dev"),
        (
            {"dev": texts("good"), "validation": texts("bad")},
            "'dev' and 'validation' both name the val split",
        ),
        ({"train": texts()}, r"data\['train'\] has no rows"),
        (
            {"train": texts("good").with_transform(lambda rows: rows)},
            r"data\['train'\] computes its rows by set_transform .* use map instead",
        ),
    ],
    ids=lambda each: None if isinstance(each, str) else "",
)
def test_what_cannot_be_written_is_one_message(tmp_path, given, message):
    with pytest.raises((ConfigError, DataError), match=message):
        write_objects(given, tmp_path)
    assert not list(tmp_path.iterdir())


def test_rows_of_other_types_than_the_first_name_what_to_state(tmp_path):
    def rows():
        yield from [{"text": "good", "label": 1.0}] * 64
        yield {"text": "good", "label": "much"}

    with pytest.raises(DataError, match=r"data\['train'\]: .*much.*features=Features"):
        write_objects({"train": IterableDataset.from_generator(rows)}, tmp_path)


def test_classes_that_lost_their_names_in_one_split_are_not_taken_for_labels(tmp_path):
    features = Features({"text": datasets.Value("string"), "label": ClassLabel(names=["-1", "1"])})
    rows = texts("good", "bad", label=(0, 1), features=features)
    mapped = rows.to_iterable_dataset().map(lambda row: row)
    with pytest.raises(DataError, match=r"data\['test'\]: .*'label' .*int64.*map\(\.\.\., feat"):
        write_objects({"train": rows, "test": mapped}, tmp_path)


def test_files_of_sound_are_written_with_the_rows(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF sound")
    rows = texts("good").add_column("sound", [str(tmp_path / "a.wav")])
    rows = rows.cast_column("sound", datasets.Audio(decode=False))
    folder = write_objects({"train": rows}, tmp_path / "written")
    (tmp_path / "a.wav").unlink()
    found = Dataset.from_file(str(folder / "train.arrow"))
    assert found[0]["sound"]["bytes"] == b"RIFF sound"


def test_an_iterable_dataset_is_not_held_in_memory(tmp_path):
    import pyarrow as pa

    most = [0]

    def rows():
        for _ in range(400):
            most[0] = max(most[0], pa.total_allocated_bytes())
            yield {"text": "good", "visual": np.zeros((100, 50), np.float32)}

    before = pa.total_allocated_bytes()
    features = Features(
        {"text": datasets.Value("string"), "visual": datasets.Array2D((100, 50), "float32")}
    )
    folder = write_objects({"train": IterableDataset.from_generator(rows, features)}, tmp_path)
    assert (folder / "train.arrow").stat().st_size > 8_000_000
    assert most[0] - before < 4_000_000
