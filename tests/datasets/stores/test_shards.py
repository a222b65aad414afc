import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from written_layouts import make_segments

from mmf_cmsbert.datasets.segment import checksum
from mmf_cmsbert.datasets.stores import shards
from mmf_cmsbert.datasets.stores.joining import join_stores
from mmf_cmsbert.datasets.stores.record_batches import BatchCache
from mmf_cmsbert.datasets.stores.store import StoredSegments, write_store
from mmf_cmsbert.errors import DataError


@pytest.fixture
def joined(tmp_path):
    """Write a store of eight shards; return it and its segments."""
    segments, names = [], []
    for number in range(8):
        made = make_segments(np.random.default_rng(number), "train")
        own = [replace(each, id=f"s{number}_{i}") for i, each in enumerate(made)]
        folder = tmp_path / "train" / "shards" / f"part{number}"
        folder.mkdir(parents=True)
        write_store(folder, own, sources=(), settings={})
        names.append(f"shards/part{number}")
        segments += own
    return join_stores(tmp_path / "train", names, {}), segments


def opened_files():
    return len(os.listdir("/proc/self/fd"))


def test_few_files_and_batches_are_kept_however_many_there_are(joined, monkeypatch):
    monkeypatch.setattr(shards, "_MOST_OPEN", 2)
    monkeypatch.setattr(shards, "BatchCache", lambda: BatchCache(3))
    store, segments = joined
    store = StoredSegments(store.folder)
    before = opened_files()
    for index in np.random.default_rng(0).permutation(len(segments)).tolist():
        assert checksum(store[index]) == checksum(segments[index])
    assert opened_files() - before <= 2
    assert len(store._stored._cache._batches) <= 3


def test_the_batches_that_were_used_last_are_kept():
    cache, made = BatchCache(2), []

    def get(number):
        cache.get("file", number, lambda: made.append(number) or number)

    for number in (1, 2, 1, 3, 1, 2):
        get(number)
    assert made == [1, 2, 3, 2]


def test_another_process_opens_the_shards_itself(joined):
    store, segments = joined
    again = pickle.loads(pickle.dumps(store))
    assert [each.id for each in again] == [each.id for each in segments]


def test_a_missing_shard_is_noticed_when_the_store_is_opened(joined):
    store, _ = joined
    (store.folder / "shards/part3/segments.arrow").unlink()
    with pytest.raises(DataError, match="damaged store"):
        StoredSegments(store.folder)


def test_the_library_reads_all_shards_even_if_one_lacks_a_modality(joined):
    pytest.importorskip("datasets")
    store, segments = joined
    folder = store.folder / "shards/text"
    folder.mkdir()
    write_store(folder, [replace(segments[0], id="text", frames={})], sources=(), settings={})
    names = [name for name, _, _ in store.manifest.shards]
    rows = join_stores(store.folder, [*names, "shards/text"], {}).to_datasets()
    assert rows["id"][:] == [*(each.id for each in segments), "text"]
    assert rows[-1]["visual"] is None and len(rows[0]["visual"]) == len(segments[0].words)


def test_a_store_of_one_file_is_still_of_the_format_that_earlier_versions_read(joined):
    store, _ = joined
    content = json.loads((store.folder / "shards/part0/manifest.json").read_text())
    assert content["format"] == 3 and "shards" not in content
    assert store.manifest.format == 4
