"""The benchmark of a corpus of MOSEI's size runs on a few segments."""

import json
import mmap

import data
import numpy as np
import pytest
import steps
import store_versions
import synthetic_mosei

from mmf_cmsbert.config.completion import complete
from mmf_cmsbert.config.overrides import parse
from mmf_cmsbert.datasets.readers.reading import read_files
from mmf_cmsbert.datasets.readers.unpickler import load_plain

COUNTS = {"train": 43, "val": 5, "test": 12}


def test_the_corpus_is_read_as_mmsas_in_moseis_proportions(tmp_path):
    synthetic_mosei.write(tmp_path / "corpus.pkl", 60)
    files = [tmp_path / "corpus.pkl"]
    read = {split: list(read_files(files, split, "mmsa")) for split in COUNTS}
    assert {split: len(segments) for split, segments in read.items()} == COUNTS
    for segment in read["train"]:
        assert segment.frames["visual"].shape == (50, 35) and segment.frames["acoustic"].shape == (
            50,
            74,
        )
        assert segment.frames["visual"].all() and segment.words and -3 <= segment.label <= 3
        assert segment.video.startswith("synthetic")
    assert len({s.id for segments in read.values() for s in segments}) == 60
    assert [file.name for file in tmp_path.iterdir()] == ["corpus.pkl"]


def test_the_whole_corpus_has_the_segments_of_the_canonical_split():
    counts = synthetic_mosei.counts
    assert counts(22_856) == {"train": 16_326, "valid": 1_871, "test": 4_659}
    assert counts(1) == {"train": 1, "valid": 1, "test": 1}


def test_the_same_seed_gives_the_same_corpus_with_text_if_asked_for(tmp_path):
    write = synthetic_mosei.write
    for name, seed in (("one", 1), ("again", 1), ("other", 2)):
        write(tmp_path / name, 10, text=True, seed=seed)
    one, again, other = (load_plain(tmp_path / n)["train"] for n in ("one", "again", "other"))
    assert one["text"].shape == (7, 50, 768)
    assert one["raw_text"] == again["raw_text"] != other["raw_text"]
    assert np.array_equal(one["audio"], again["audio"])
    assert not np.array_equal(one["audio"], other["audio"])


def test_what_it_types_after_mmf_run_is_a_valid_command(tmp_path):
    options = {"file": "/corpus.pkl", "stores": str(tmp_path), "save_dir": str(tmp_path / "save")}
    typed = steps.command(options | {"backbone": "projects/cmsbert/demo"})
    completed = complete(parse(typed)).options
    assert completed["dataset"] == "mosei"
    assert "/corpus.pkl" in completed["dataset_config.mosei.annotations.test"]


def test_private_memory_grows_with_what_is_taken_not_with_what_is_mapped(tmp_path):
    private_memory = steps.private_memory
    np.zeros(5_000_000).tofile(tmp_path / "array")
    before = private_memory()
    mapped = np.memmap(tmp_path / "array")
    assert mapped.sum() == 0 and private_memory() - before < 10e6
    # Mapped memory, because an array could reuse memory of an earlier one.
    taken = mmap.mmap(-1, 40_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    taken.write(bytes(40_000_000))
    assert private_memory() - before > 35e6


def test_the_table_shows_medians_and_what_conversion_took_itself():
    run = {"seconds": [0.3, 0.1, 0.2], "private": [9e6] * 3, "private_after_epoch": [20e6] * 3}
    measured = {
        "segments": 60,
        "cold": False,
        "pickle_bytes": 5e8,
        "store_bytes": 4e8,
        "convert": {"seconds": [7.0], "peak": [400e6], "before": [350e6]},
        "run": run | {"epoch_seconds": [3.0] * 3},
        "load_pickle": {"seconds": [1.0], "private": [500e6]},
    }
    rows = [" ".join(row.split()) for row in data.table(measured).splitlines()]
    assert "conversion: the part since loading began 50 MB" in rows
    assert "run: dataset time to the first batch 0.20 s (0.10 to 0.30)" in rows


def test_versions_and_the_library_are_columns_of_one_table():
    measured = {
        "first": {"convert seconds": [3.0, 1.0, 2.0], "read private": [5e6]},
        "now": {"convert peak": [4e6]},
        "datasets": {"datasets microseconds": [2000.0]},
    }
    title, _, seconds, *_, read, memory = store_versions.table(measured).splitlines()
    assert title == "|  | first | now | datasets |"
    assert seconds == "| conversion, s | 2 (1 to 3) |  |  |"
    assert read.endswith("|  |  | 2,000 (2,000 to 2,000) |")
    assert memory == "| private memory after them, MB | 5 (5 to 5) |  |  |"


@pytest.mark.slow
def test_it_measures_each_step_in_a_process_of_its_own(tmp_path, capsys):
    out = tmp_path / "measured.json"
    folder = tmp_path / "kept"
    typed = ["--segments", "60", "--repeats", "2", "--folder", str(folder), "--out", str(out)]
    data.main(typed)
    measured = json.loads(out.read_text())
    for step in ("convert", "run", "load_pickle"):
        assert len(measured[step]["seconds"]) == 2 and min(measured[step]["peak"]) > 1e6
    assert measured["run"]["segments"] == [COUNTS["train"]] * 2
    assert measured["load_pickle"]["segments"] == [60] * 2
    frames = 60 * 50 * (35 + 74) * 4
    assert frames < measured["store_bytes"] < 1.2 * frames
    assert "dataset time to the first batch" in capsys.readouterr().out
