"""The worked examples in ``docs/extending.md`` do what the page says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import worked_examples
from typer.testing import CliRunner

import mmf_cmsbert
from mmf_cmsbert.commands import app
from mmf_cmsbert.datasets.readers import registry

LAYOUT = "A new dataset layout"


@pytest.mark.parametrize("heading", worked_examples.sections())
def test_the_test_of_an_example_passes(heading, tmp_path):
    files = worked_examples.write_section(heading, tmp_path)
    tests = [file.name for file in files if file.name.startswith("test_")]
    assert tests, f"the section {heading!r} has no test"
    path = os.pathsep.join([str(tmp_path), str(Path(mmf_cmsbert.__file__).parents[1])])
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """The package of the example and a corpus of its test's; gone again after the test."""
    worked_examples.write_section(LAYOUT, tmp_path)
    registry.choices()
    monkeypatch.setattr(registry, "_layouts", dict(registry._layouts))
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    import test_archives

    (tmp_path / "corpus").mkdir()
    for name in ("train", "dev", "test"):
        test_archives.write(tmp_path / "corpus" / f"{name}.npz")
    yield tmp_path / "corpus", tmp_path / "my_layouts"
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("my_layouts", "test_archives"):
            del sys.modules[name]


def test_the_commands_read_a_corpus_of_the_new_layout(archives, tmp_path):
    corpus, package = archives
    for layout in ("auto", "archives"):
        typed = [
            "data",
            "inspect",
            corpus,
            "--user-dir",
            package,
            "--layout",
            layout,
            "--json",
            "-",
        ]
        result = CliRunner().invoke(app, list(map(str, typed)))
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout)
        assert report["layouts"] == ["archives"]
        assert {
            split: each["segments"] for split, each in report["splits"].items()
        } == dict.fromkeys(("train", "val", "test"), 2)
    typed = ["data", "convert", corpus, "--dataset", "mosei", "--user-dir", package]
    typed += ["--output", tmp_path / "store"]
    result = CliRunner().invoke(app, list(map(str, typed)))
    assert result.exit_code == 0, result.output
    assert "train: 2 segments, 2 with a label" in result.stdout
