"""What tests of the commands share: a folder to type in."""

import pytest
from typer.testing import CliRunner

from mmf_cmsbert.commands import app


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
