"""Paths and memory in the facts of a run."""

import re

import pytest

import mmf_cmsbert  # noqa: F401  makes MMF importable

pytest.importorskip("mmf")

from mmf_cmsbert.paths import PACKAGE  # noqa: E402
from mmf_cmsbert.trainers import run_facts  # noqa: E402


def test_paths_below_the_working_folder_are_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_facts.shown(tmp_path / "save" / "demo") == "save/demo"
    assert run_facts.shown(tmp_path.parent / "x") == str(tmp_path.parent / "x")
    assert run_facts.shown(tmp_path) == str(tmp_path)


def test_a_shipped_recipe_has_its_short_name():
    file = PACKAGE / "projects" / "cmsbert" / "demo.yaml"
    assert run_facts._file(str(file)) == "projects/cmsbert/demo.yaml"
    assert run_facts._file("/tmp/mmf_cmsbert_x.yaml") == "", "a temporary file of a command"


def test_the_peak_of_memory_grows_with_what_is_used():
    def mebibytes():
        return int(re.fullmatch(r"([\d,]+) MiB", run_facts.peak_memory("cpu"))[1].replace(",", ""))

    before = mebibytes()
    used = bytearray(300 * 2**20)
    assert mebibytes() >= 300 and mebibytes() >= before and len(used)
