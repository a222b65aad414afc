from pathlib import Path

import pytest

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.sharding.inputs import find_shards


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("")


def names(*words):
    return [str(each.relative_to(Path.cwd())) for each in find_shards(list(map(Path, words)))]


@pytest.fixture(autouse=True)
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_folder_holds_shards_in_the_order_of_their_names():
    touch("a/2.csv", "a/1.parquet", "a/notes.txt", "a/.hidden.csv", "a/_metadata.csv")
    assert names("a") == ["a/1.parquet", "a/2.csv"]
    touch("hub/README.md", "hub/data/test-1.parquet", "hub/data/test-0.parquet")
    assert names("hub") == ["hub/data/test-0.parquet", "hub/data/test-1.parquet"]


def test_words_keep_their_order_and_patterns_are_sorted():
    touch("b.csv", "a/1.csv", "a/2.csv")
    assert names("b.csv", "a/*.csv") == ["b.csv", "a/1.csv", "a/2.csv"]


def test_a_corpus_of_its_own_is_one_shard():
    touch("clips/segments.jsonl", "clips/visual/a.npy", "saved/state.json", "saved/data.arrow")
    assert names("clips", "saved") == ["clips", "saved"]


def test_a_folder_without_shards_is_named():
    touch("a/notes.txt")
    with pytest.raises(DataError, match="a: no shards in this folder"):
        names("a")
