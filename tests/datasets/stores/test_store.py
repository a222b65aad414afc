"""A store returns exactly what was written."""

import errno
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores import store as module
from mmf_cmsbert.datasets.stores.manifest import SourceFile, read_manifest
from mmf_cmsbert.datasets.stores.store import StoredSegments, replaced_folder, write_store
from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import WriteError

CHECKSUM = 2722972691
OLDER = Path(__file__).parent
SOURCE = SourceFile("/data/train.pkl", 10, 20, "ab")


def make(count=200, seed=0):
    rng = np.random.default_rng(seed)
    for i in range(count):
        frames = [rng.normal(size=(i % 5 + 1, width)).astype(np.float32) for width in (3, 2)]
        yield Segment(
            f"video{i // 7}[{i}]",
            f"video{i // 7}",
            ("grüße", "you") * (i % 3 + 1),
            {
                "visual": frames[0] if i % 4 else None,
                "acoustic": frames[1] if i > 100 else None,  # long after the first record batch
            },
            float(np.float32(i / 100)) if i % 6 else None,
            *((0.5 * i, 0.5 * i + 0.25) if i % 2 else (None, None)),
        )


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    folder.mkdir()
    write_store(folder, make(), sources=[SOURCE], settings={"split": "train"})
    return folder


def assert_same(one, other):
    for name in ("id", "video", "words", "label", "start", "end"):
        assert getattr(one, name) == getattr(other, name)
    assert one.frames.keys() == other.frames.keys()
    for modality, frames in one.frames.items():
        assert frames.dtype == np.float32 and np.array_equal(frames, other.frames[modality])


def test_every_segment_comes_back_in_any_order(store):
    stored, given = StoredSegments(store), list(make())
    assert len(stored) == len(given)
    for i in np.random.default_rng(1).permutation(len(given)):
        assert_same(stored[int(i)], given[i])
    assert_same(stored[-1], given[-1])
    with pytest.raises(IndexError):
        stored[len(given)]


def test_further_targets_come_back_whenever_they_occur(tmp_path):
    given = [
        replace(
            segment,
            targets={"emotions": (1.0, float("nan"))} | ({"text": (0.3,)} if i > 100 else {})
            if i % 3
            else {},
        )
        for i, segment in enumerate(make())
    ]
    write_store(tmp_path, given, sources=[], settings={})
    stored = StoredSegments(tmp_path)
    for found, segment in zip(stored, given, strict=True):
        assert_same(found, segment)
        assert str(found.targets) == str(segment.targets)  # NaN equals nothing
    assert stored.manifest.targets == {"emotions": 133, "text": 66}


def test_a_segment_without_further_targets_keeps_its_checksum():
    (segment,) = make(1)
    # Of the first version of this package.
    assert module.checksum(segment) == CHECKSUM
    assert module.checksum(replace(segment, targets={"text": (1,)})) != CHECKSUM
    assert module.checksum(replace(segment, targets={"text": (1,)})) == module.checksum(
        replace(segment, targets={"text": (1.0,)})
    )


def test_the_checksum_of_a_segment_is_computed_once_when_it_is_written(tmp_path, monkeypatch):
    calls, original = [], module.checksum
    monkeypatch.setattr(module, "checksum", lambda s: calls.append(s.id) or original(s))
    write_store(tmp_path, make(), sources=[], settings={})
    assert calls == [segment.id for segment in make()]


def test_nothing_of_the_file_is_mapped_and_no_frames_are_kept(store):
    before = pa.total_allocated_bytes()
    stored = StoredSegments(store)
    segment = stored[1]
    assert segment.frames["visual"].shape == (2, 3)
    assert pa.total_allocated_bytes() - before < 16_384
    assert str(store) not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("when", ["before its batch was read", "after its batch was read"])
@pytest.mark.parametrize("change", ["cut", "overwritten", "its metadata overwritten"])
def test_a_file_that_changes_while_it_is_read_ends_in_a_message(store, when, change):
    """Run in a separate process, which a signal would end."""
    process = os.fork()
    if process == 0:
        os._exit(_reads_a_changing(store, when, change))
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 2


def _reads_a_changing(store, when, change):
    stored, path = StoredSegments(store), store / "segments.arrow"
    if when == "after its batch was read":
        assert stored[0].id == "video0[0]"
    size = path.stat().st_size
    start = size - 4096 if change == "its metadata overwritten" else 512
    with open(path, "r+b") as file:
        if change == "cut":
            file.truncate(512)
        else:
            file.seek(start)
            file.write(b"\xff" * (size - start))
    readings = []
    for i in range(len(stored)):
        try:
            assert_same(stored[i], list(make())[i])
        except DataError as error:
            readings.append("damaged store" in str(error))
    return 2 if readings and all(readings) else 1


def test_a_store_of_format_1_is_read():
    """Written by the first version of this package."""
    stored = StoredSegments(OLDER / "format_1")
    assert (len(stored), stored.manifest.format, stored.manifest.labels) == (70, 1, 58)
    assert not any(segment.metadata for segment in stored)
    first, last = stored[1], stored[69]
    assert (first.id, first.words, first.label) == ("video0[1]", ("grüße", "you") * 2, 1 / 32)
    assert first.frames["visual"].tolist() == [[0.125, 0.25, 0.375], [0.5, 0.625, 0.75]]
    assert (last.frames["visual"].shape, last.frames["acoustic"].tolist()) == (
        (1, 3),
        [[8.625, 8.75], [8.875, 9.0]],
    )
    assert stored[0].frames.get("visual") is None


def test_a_store_of_format_2_is_read():
    stored = StoredSegments(OLDER / "format_2")
    assert (len(stored), stored.manifest.format) == (70, 2)
    assert (stored[2].metadata, stored[3].metadata) == ({"speaker": "ann"}, {})
    assert stored[1].frames["visual"].tolist() == [[0.125, 0.25, 0.375], [0.5, 0.625, 0.75]]
    assert (stored[65].frames.get("acoustic"), stored[69].frames["acoustic"].tolist()) == (
        None,
        [[8.625, 8.75]],
    )


@pytest.mark.parametrize("name", ["format_1", "format_2"])
def test_a_new_manifest_of_an_older_store_leaves_its_format(tmp_path, name):
    shutil.copytree(OLDER / name, tmp_path, dirs_exist_ok=True)
    replace(read_manifest(tmp_path), statistics={"visual": []}).write(tmp_path)
    assert_same(StoredSegments(tmp_path)[69], StoredSegments(OLDER / name)[69])


def test_a_segment_larger_than_what_is_read_at_once_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr("mmf_cmsbert.datasets.stores.store._LARGEST_SEGMENT", 40)
    with pytest.raises(
        DataError, match=r"segment video0.* bytes of frames; expected at most 40\..*max_frames"
    ):
        write_store(tmp_path, make(), sources=[], settings={})


def test_a_process_that_is_spawned_opens_the_store_itself(store):
    sent = pickle.dumps(StoredSegments(store))
    assert len(sent) < 1000
    assert_same(pickle.loads(sent)[3], StoredSegments(store)[3])


def test_the_manifest_knows_what_a_run_asks(store):
    manifest, given = read_manifest(store), list(make())
    labels = [s.label for s in given if s.label is not None]
    assert manifest.sources == (SOURCE,)
    assert manifest.settings == {"split": "train"}
    assert (manifest.segments, manifest.labels) == (200, len(labels))
    assert manifest.label_mean == pytest.approx(np.mean(labels))
    assert manifest.widths == {"visual": 3, "acoustic": 2}
    assert manifest.longest == {"words": 6, "visual": 5, "acoustic": 5}
    assert manifest.missing == {"visual": 50, "acoustic": 101}
    assert manifest.unaligned == "segment video0[1] has 4 words but 2 visual frames"


def test_the_hash_of_the_content_is_that_of_the_content(store, tmp_path):
    hashes = [read_manifest(store).content]
    for name, segments in (("same", make()), ("other", make(seed=1)), ("fewer", make(199))):
        (tmp_path / name).mkdir()
        write_store(tmp_path / name, segments, sources=[], settings={})
        hashes.append(read_manifest(tmp_path / name).content)
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 3


def test_a_store_without_segments(tmp_path):
    write_store(tmp_path, [], sources=[], settings={})
    assert len(StoredSegments(tmp_path)) == 0


@pytest.mark.parametrize("kept", [0, 100, -1, -200])
def test_a_truncated_store_is_told_when_it_is_opened(store, kept):
    content = (store / "segments.arrow").read_bytes()
    (store / "segments.arrow").write_bytes(content[:kept])
    with pytest.raises(DataError, match="damaged store"):
        StoredSegments(store)


def test_a_changed_value_is_told_when_it_is_read(store):
    path = store / "segments.arrow"
    content = bytearray(path.read_bytes())
    value = StoredSegments(store)[1].frames["visual"].tobytes()
    content[content.index(value)] ^= 1
    path.write_bytes(content)
    stored = StoredSegments(store)
    assert stored[2].words
    with pytest.raises(DataError, match="damaged store.*segment 1: wrong checksum"):
        stored[1]


def test_noise_in_the_file_never_gives_a_segment(store):
    path, rng = store / "segments.arrow", np.random.default_rng(0)
    whole, given = path.read_bytes(), list(make())
    refused = 0
    for _ in range(40):
        content = bytearray(whole)
        start = int(rng.integers(len(content) - 64))
        content[start : start + 64] = rng.bytes(64)
        path.write_bytes(content)
        try:
            stored = StoredSegments(store)
            for i, segment in enumerate(given):
                assert_same(stored[i], segment)
        except DataError:
            refused += 1
    assert refused > 30  # the others were in padding


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", '{"format": 1}', '{"format": 4, "sources": []}', "[" * 100_000],
    ids=["empty", "cut", "list", "number", "without fields", "other format", "nested"],
)
def test_a_damaged_manifest(store, content):
    (store / "manifest.json").write_text(content)
    with pytest.raises(DataError, match="manifest.json"):
        StoredSegments(store)


def test_a_folder_is_replaced_whole(store):
    with replaced_folder(store) as folder:
        write_store(folder, make(3), sources=[], settings={})
        assert len(StoredSegments(store)) == 200
    assert len(StoredSegments(store)) == 3
    assert [each.name for each in store.parent.iterdir()] == ["store"]
    assert {each.name for each in store.iterdir()} == {"segments.arrow", "manifest.json"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, DataError, MemoryError])
def test_what_is_not_finished_leaves_nothing(store, tmp_path, error):
    def interrupted():
        yield from make(100)
        raise error

    for folder, there in ((store, 200), (tmp_path / "new" / "one", None)):
        with pytest.raises(error), replaced_folder(folder) as unfinished:
            write_store(unfinished, interrupted(), sources=[], settings={})
        if there:
            assert len(StoredSegments(folder)) == there
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [(OSError(errno.EIO, "it broke"), WriteError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_store_stays_where_the_new_one_cannot_take_its_place(store, monkeypatch, error, raised):
    rename = Path.rename

    def failing(self, target):
        if self.suffix == ".tmp" and target == store:
            assert not store.exists()  # the old one was deleted
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(raised), replaced_folder(store) as unfinished:
        write_store(unfinished, make(3), sources=[], settings={})
    assert len(StoredSegments(store)) == 200
    assert {each.name for each in store.iterdir()} == {"segments.arrow", "manifest.json"}
    assert [each.name for each in store.parent.iterdir()] == ["store"]


def test_what_a_killed_process_left_is_removed(store):
    import socket

    left = store.parent / f".store.{socket.gethostname()}.999999999.tmp"
    elsewhere = store.parent / ".store.another-machine.999999999.tmp"
    for folder in (left, elsewhere):
        folder.mkdir()
    with replaced_folder(store) as folder:
        write_store(folder, make(3), sources=[], settings={})
    assert not left.exists()
    assert elsewhere.exists()  # may be in use


def test_what_is_no_store_stays(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("words")
    with (
        pytest.raises(DataError, match="thesis exists and is not a store"),
        replaced_folder(tmp_path / "thesis"),
    ):
        pass
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "words"


def test_metadata_is_kept(tmp_path):
    metadata = {"speaker": "ann\ud800", "age": 31, "tags": ["a", {"b": None}], "x": 0.1}
    one, other = make(2)
    write_store(tmp_path, [replace(one, metadata=metadata), other], sources=[], settings={})
    assert [segment.metadata for segment in StoredSegments(tmp_path)] == [metadata, {}]


def test_a_modality_of_any_name_that_occurs_late_has_a_column(tmp_path):
    given = list(make())
    gaze = np.arange(8, dtype=np.float32).reshape(2, 4)
    given[150] = replace(given[150], frames=given[150].frames | {"gaze": gaze})
    write_store(tmp_path, given, sources=(SOURCE,), settings={})
    stored = StoredSegments(tmp_path)
    assert stored.manifest.widths == {"visual": 3, "acoustic": 2, "gaze": 4}
    assert stored.manifest.missing["gaze"] == len(given) - 1
    assert stored.manifest.longest["gaze"] == 2
    for one, other in zip(stored, given, strict=True):
        assert_same(one, other)


def test_reading_does_not_import_pandas():
    """pyarrow's conversion to numpy imports it, which delays the first batch of a run."""
    program = (
        "import sys, pathlib\n"
        "from mmf_cmsbert.datasets.stores.store import StoredSegments\n"
        f"segments = list(StoredSegments(pathlib.Path({str(OLDER / 'format_2')!r})))\n"
        "sys.exit('pandas' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
