"""Files of ``--to datasets`` can be read by ``datasets`` alone, and give the same segments."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml
from written_layouts import SPLITS, make_segments, with_frames

datasets = pytest.importorskip("datasets", reason="reads what is written")

from mmf_cmsbert.datasets.conversion import write_split  # noqa: E402
from mmf_cmsbert.datasets.readers.reading import read_files  # noqa: E402
from mmf_cmsbert.datasets.readers.source import find_source  # noqa: E402
from mmf_cmsbert.datasets.segment import checksum  # noqa: E402
from mmf_cmsbert.datasets.stores.manifest import SourceFile  # noqa: E402
from mmf_cmsbert.datasets.stores.store import StoredSegments  # noqa: E402
from mmf_cmsbert.datasets.writers.hugging_face import write_dataset  # noqa: E402

WIDTHS = {"visual": 5, "acoustic": 4}
NAMES = {"train": "train", "val": "validation", "test": "test"}


def stores(folder, changed=lambda segments: segments, synthetic=False):
    found = {}
    for split in SPLITS:
        (folder / split).mkdir(parents=True)
        segments = make_segments(np.random.default_rng(3), split, 5)
        source = SourceFile(f"/home/someone/{split}.pkl", 12, 0, "ab" * 32)
        write_split(
            folder / split,
            split,
            iter(changed(segments)),
            sources=(source,),
            settings={"layout": "misa"},
            synthetic=synthetic,
        )
        found[split] = StoredSegments(folder / split)
    return found


def some_missing(segments):
    return [
        replace(with_frames(segments[0], visual=None), metadata={"speaker": "a|b", "year": 1999}),
        replace(with_frames(segments[1], acoustic=None), label=None, start=None, end=None),
        *segments[2:],
    ]


@pytest.fixture
def written(tmp_path):
    corpus = stores(tmp_path / "stores", some_missing)
    (tmp_path / "out").mkdir()
    write_dataset(tmp_path / "out", corpus, WIDTHS, "mosi")
    return tmp_path / "out", corpus


def test_it_is_read_back_as_the_same_segments(written):
    folder, corpus = written
    for split in SPLITS:
        found = list(read_files(find_source([folder]).files[split], split))
        assert list(map(checksum, found)) == list(map(checksum, corpus[split]))


def test_it_is_read_by_the_library_alone_with_typed_columns(written, tmp_path):
    folder, corpus = written
    program = (
        "import sys; sys.modules['mmf_cmsbert'] = None\n"
        "from datasets import load_dataset\n"
        f"found = load_dataset({str(folder)!r}, cache_dir={str(tmp_path / 'cache')!r})\n"
        "print({name: len(each) for name, each in found.items()})\n"
        "print(found['train'].features['visual'], found['train'][0]['visual'])\n"
        "print(found['train'][2]['words'])\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    counts, visual, words = ended.stdout.splitlines()
    assert eval(counts) == {NAMES[split]: len(corpus[split]) for split in SPLITS}
    assert visual == "List(List(Value('float32'), length=5)) None"
    assert eval(words) == list(corpus["train"][2].words)


def test_a_split_is_cut_into_shards_that_are_named_as_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.datasets.writers.hugging_face._ROWS", 2)
    corpus = stores(tmp_path / "stores")
    (tmp_path / "out").mkdir()
    files = write_dataset(tmp_path / "out", corpus, WIDTHS, "mosi", shard=1)
    assert [file.name for file in files["val"]] == [
        f"validation-0000{n}-of-00003.parquet" for n in range(3)
    ]
    found = list(read_files(find_source([tmp_path / "out"]).files["val"], "val"))
    assert list(map(checksum, found)) == list(map(checksum, corpus["val"]))


def test_the_card_has_the_hubs_metadata_and_what_a_reader_must_know(written):
    text = (written[0] / "README.md").read_text()
    head = yaml.safe_load(text.split("---")[1])
    assert head["license"] == "unknown"  # set by the user
    assert [each["split"] for each in head["configs"][0]["data_files"]] == list(NAMES.values())
    for part in (
        "| train | 5 | 4 |",
        "To be filled in: the licence",
        f"| train | train.pkl | 12 | {'ab' * 32} |",
        "| visual | list of 5 float32 |",
    ):
        assert part in text
    assert "/home/someone" not in text and "synthetic" not in text


def test_the_card_of_synthetic_data_says_so(tmp_path):
    corpus = stores(tmp_path / "stores", synthetic=True)
    (tmp_path / "out").mkdir()
    write_dataset(tmp_path / "out", corpus, WIDTHS, "mosi")
    assert "This is synthetic data" in (tmp_path / "out" / "README.md").read_text()
