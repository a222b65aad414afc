"""Every command that writes ends in one message where files may not grow, as on a full disk."""

import re
import resource
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import written_layouts
from written_layouts import SPLITS, make_segments

from mmf_cmsbert.experiments import scheduler

LIMIT = r"raise it \(ulimit -f unlimited\)|File too large; type --output FOLDER"
SMALL = "training.max_updates=5"


@contextmanager
def limited(size):
    """Files may not grow beyond ``size`` bytes in this process (``ulimit -f``)."""
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
    (folder / "space.yaml").write_text("training.seed: [1, 2]\n")
    return folder


@pytest.fixture
def no_runs(monkeypatch):
    """A run that would be started fails the test."""
    monkeypatch.setattr(scheduler, "MMFRun", partial(pytest.fail, "a run was started"))


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
    """The limit is a share of the largest file that the command writes."""
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
    # A split that was written before the limit was reached may be there, as a whole.
    left = contents(other)
    assert set(left) < set(before) and all(left[name] == before[name] for name in left)


def contents(folder):
    files = (each for each in folder.rglob("*") if each.is_file() and each.name != ".lock")
    return {each.relative_to(folder): each.read_bytes() for each in files}
