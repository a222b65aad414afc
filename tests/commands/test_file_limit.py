"""Commands report a limit of the file size, or a full disk, in one message."""

import csv
import json
import re
import resource
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
import written_layouts
from small_predictor import made
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.experiments import experiment
from mmf_cmsbert.experiments.engines import local
from mmf_cmsbert.files import WriteError

FULL = r"raise it \(ulimit -f unlimited\)"
LIMIT = rf"{FULL}|File too large; type --output FOLDER"
SMALL = "training.max_updates=5"


@contextmanager
def limited(size):
    """Limit the size of files in this process (``ulimit -f``), in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def corpus(tmp_path):
    folder = tmp_path / "corpus"
    folder.mkdir()
    segments = {s: make_segments(np.random.default_rng(4), s, widths=(47, 74)) for s in SPLITS}
    written_layouts.write_misa(folder, segments)
    (folder / "space.yaml").write_text("optimizer.params.lr: [1e-4, 1e-3]\n")
    return folder


@pytest.fixture
def no_runs(monkeypatch):
    """Fail the test if a run is started."""
    monkeypatch.setattr(local, "JobProcess", partial(pytest.fail, "a run was started"))


COMMANDS = {
    "convert to a store": ("data", "convert", "{corpus}", "--dataset", "mosi"),
    "convert for MAG-BERT": ("data", "convert", "{corpus}", "--dataset", "mosi", "--to", "mag"),
    "convert for MISA": ("data", "convert", "{corpus}", "--dataset", "mosi", "--to", "misa"),
    "folds": ("data", "folds", "{corpus}", "--dataset", "mosi", "--folds", "3"),
    "ablate": ("ablate", "cms_clr", "--seeds", "1", SMALL),
    "tune": ("tune", "cms_clr", "--space", "{corpus}/space.yaml", SMALL),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("size", [0, 1000])
def test_the_file_and_the_limit_are_named_and_nothing_is_left(
    cmsbert, corpus, no_runs, tmp_path, words, size
):
    if size and words[0] != "data":
        pytest.skip("the files of an experiment are smaller")
    with limited(size):
        ended = cmsbert(*(word.format(corpus=corpus) for word in words))
    assert ended.exit_code == 2, ended.output
    message = ended.stderr.strip().splitlines()
    assert len(message) == 1 and re.search(LIMIT, message[0]), ended.stderr
    assert_nothing_is_left(tmp_path / "working")


def assert_nothing_is_left(working):
    assert [each for each in working.rglob("*") if each.is_file() and each.name != ".lock"] == []


CONVERSIONS = {name: words for name, words in COMMANDS.items() if "convert" in words}


@pytest.mark.parametrize("words", CONVERSIONS.values(), ids=CONVERSIONS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_limit_past_the_first_write_leaves_the_earlier_result(
    cmsbert, corpus, tmp_path, words, share
):
    """The limit is a fraction of the largest file that the command writes."""
    typed = [word.format(corpus=corpus) for word in words]
    assert cmsbert(*typed, "--output", "first").exit_code == 0
    first, other = tmp_path / "working" / "first", tmp_path / "working" / "other"
    before = contents(first)
    with limited(int(share * max(map(len, before.values())))):
        ended = cmsbert(*typed, "--output", "other")
    assert ended.exit_code == 2, ended.output
    message = ended.stderr.strip().splitlines()
    assert len(message) == 1 and re.search(LIMIT, message[0]), ended.stderr
    assert contents(first) == before
    # A split that was completed before the limit was reached may exist.
    left = contents(other)
    assert set(left) < set(before) and all(left[name] == before[name] for name in left)


def contents(folder):
    files = (each for each in folder.rglob("*") if each.is_file() and each.name != ".lock")
    return {each.relative_to(folder): each.read_bytes() for each in files}


def test_the_tables_of_an_ablation_stay_as_they_were(cmsbert, runs, tmp_path):
    """The runs are there: they are not made again, and neither are they lost."""
    words = ("ablate", "cms_clr", "mag", "--seeds", 1, "--output", "out", SMALL)
    assert cmsbert(*words).exit_code == 0
    before = contents(folder := tmp_path / "working" / "out")
    tables = [name for name in experiment.TABLES if Path(name) in before]
    assert len(tables) >= 2
    for name in tables:
        limit = len(before[Path(name)]) - 1
        with limited(limit):
            ended = cmsbert(*words)
        assert ended.exit_code == 2 and len(runs) == 2, ended.output
        too_large = "|".join(each for each in tables if len(before[Path(each)]) > limit)
        message = rf"cmsbert ablate: error: out/({too_large}) cannot be written: .*{FULL}\n"
        assert re.fullmatch(message, ended.stderr), ended.stderr
        after = contents(folder)
        assert set(after) == set(before) and after[Path(name)] == before[Path(name)]


def test_a_search_whose_database_cannot_be_written_leaves_none(cmsbert, corpus, no_runs, tmp_path):
    pytest.importorskip("optuna", reason="a search needs Optuna, which is optional")
    with limited(50_000):  # half of an empty database
        ended = cmsbert("tune", "cms_clr", "--space", corpus / "space.yaml", SMALL)
    assert ended.exit_code == 2
    assert re.fullmatch(
        r"cmsbert tune: error: save/tuning/study\.db cannot .* \(ulimit -f\)\?\n", ended.stderr
    )
    assert_nothing_is_left(tmp_path / "working")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    made().save_pretrained(folder)
    return folder


@pytest.mark.parametrize("count", [1, 60])
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_predictions_continue_where_the_limit_was_reached(cmsbert, model, tmp_path, kind, count):
    """Of one segment the journal is smaller than the Parquet file, of 60 larger."""
    working = tmp_path / "working"
    (working / "segments.csv").write_text("id,text\n" + "a,good\n" * count)
    words = ("predict", model, "--input", "segments.csv", "--output")
    assert cmsbert(*words, f"whole.{kind}").exit_code == 0
    limit = 300 if count == 1 and kind != "parquet" else 1000
    with limited(limit):
        ended = cmsbert(*words, f"part.{kind}")
    assert ended.exit_code == 2, ended.output
    file = f"part.{kind}" if count == 1 and kind == "parquet" else f"part.{kind}.part"
    assert re.search(rf"error: {file} cannot be written: .*{FULL}\n", ended.stderr)
    assert {each.name for each in working.glob("part*")} == {f"part.{kind}.part"}
    assert cmsbert(*words, f"part.{kind}").exit_code == 0
    found, expected = (scores(working / f"{name}.{kind}") for name in ("part", "whole"))
    assert len(found) == count and found == pytest.approx(expected, abs=1e-5)
    assert {each.name for each in working.glob("part*")} == {f"part.{kind}"}


def scores(file):
    """The predictions in a file of any format."""
    if file.suffix == ".csv":
        return [float(row["prediction"]) for row in csv.DictReader(file.open(newline=""))]
    if file.suffix == ".jsonl":
        return [json.loads(row)["prediction"] for row in file.read_text().splitlines()]
    return parquet.read_table(file)["prediction"].to_pylist()


@pytest.mark.parametrize("share", [0, 0.01, 0.5])
def test_an_exported_model_appears_as_a_whole(tmp_path, share):
    predictor = made()
    predictor.save_pretrained(tmp_path / "earlier")
    before = contents(tmp_path)
    with limited(int(share * max(map(len, before.values())))):
        for name, overwrite in (("new", False), ("earlier", True)):
            with pytest.raises(WriteError, match=f"{name} cannot be written: .*{FULL}"):
                predictor.save_pretrained(tmp_path / name, overwrite=overwrite)
    assert contents(tmp_path) == before
