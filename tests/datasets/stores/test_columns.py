"""A store opens as a ``datasets.Dataset``: the same segments, typed, and not copied."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from written_layouts import make_segments, with_frames

pytest.importorskip("datasets", reason="opens stores with it")

import pyarrow as pa  # noqa: E402
from datasets import Dataset, Features, List, Value  # noqa: E402

from mmf_cmsbert.datasets.stores.columns import schema  # noqa: E402
from mmf_cmsbert.datasets.stores.store import StoredSegments, write_store  # noqa: E402
from mmf_cmsbert.errors import DataError  # noqa: E402


@pytest.fixture
def store(tmp_path):
    segments = make_segments(np.random.default_rng(3), "train", 130, aligned=False)
    segments[1] = replace(with_frames(segments[1], visual=None), label=None)
    segments[2] = replace(with_frames(segments[2], acoustic=None), metadata={"speaker": "ann"})
    segments = [replace(each, id=str(n)) for n, each in enumerate(segments)]
    write_store(tmp_path, iter(segments), sources=(), settings={})
    return StoredSegments(tmp_path)


def test_it_has_the_same_segments(store):
    found = store.to_datasets()
    assert len(found) == len(store) == 130
    for row, segment in zip(found, store, strict=True):
        assert (row["id"], tuple(row["words"])) == (segment.id, segment.words)
        assert (row["label"], row["start"], row["end"]) == (
            segment.label,
            segment.start,
            segment.end,
        )
        assert json.loads(row["metadata"] or "{}") == segment.metadata
        for modality in ("visual", "acoustic"):
            frames = segment.frames.get(modality)
            if frames is None:
                assert row[modality] is None
            else:
                assert np.array_equal(np.array(row[modality], np.float32), frames)


def test_the_library_opens_the_file_itself_with_typed_columns(store):
    found = Dataset.from_file(str(store.folder / "segments.arrow"))
    text, number = Value("string"), Value("float64")
    assert found.features == Features(
        {
            "id": text,
            "video": text,
            "words": List(text),
            "label": number,
            "start": number,
            "end": number,
            "checksum": Value("uint32"),
            "visual": List(List(Value("float32"), length=5)),
            "acoustic": List(List(Value("float32"), length=4)),
            "metadata": text,
        }
    )
    assert found[:] == store.to_datasets()[:]


def test_arrows_types_are_those_that_the_library_derives_from_the_features():
    found = schema({"visual": 5}, checksums=False)
    assert Features.from_arrow_schema(found).arrow_schema.equals(found)
    assert Features.from_arrow_schema(found.remove_metadata()) == Features.from_arrow_schema(found)


def test_frames_are_not_copied(store):
    before = pa.total_allocated_bytes()
    found = Dataset.from_file(str(store.folder / "segments.arrow"))
    assert pa.total_allocated_bytes() - before < 1024
    assert len(found.with_format("numpy")[5]["visual"]) == len(store[5].frames["visual"])


def test_it_can_be_filtered_and_mapped_as_any_dataset(store):
    found = store.to_datasets().filter(lambda row: row["acoustic"] is None, keep_in_memory=True)
    assert found["id"][:] == ["2"]


def test_a_store_without_a_modality_has_no_column_of_it(tmp_path):
    segments = make_segments(np.random.default_rng(3), "train", 3)
    plain = [replace(each, frames={}) for each in segments]
    write_store(tmp_path, iter(plain), sources=(), settings={})
    assert "visual" not in StoredSegments(tmp_path).to_datasets().column_names


def test_a_store_of_an_older_format_says_how_to_get_one_that_opens():
    old = StoredSegments(Path(__file__).parent / "format_2")
    with pytest.raises(DataError, match=r"format 2, which datasets cannot open; .*convert .*2 --o"):
        old.to_datasets()
