"""What tests of the commands share: a folder to type in, and the layouts of the datasets' tests."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mmf_cmsbert.commands import app

sys.path.insert(0, str(Path(__file__).parents[1] / "datasets"))


@pytest.fixture
def cmsbert(tmp_path, monkeypatch):
    """Type ``cmsbert ...`` in an empty folder."""
    folder = tmp_path / "working"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")

    def typed(*words):
        return CliRunner().invoke(app, list(map(str, words)), prog_name="cmsbert")

    return typed
