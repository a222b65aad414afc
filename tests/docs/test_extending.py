"""The worked examples in ``docs/extending.md`` work."""

import json
import sys

import pytest
import worked_examples
from typer.testing import CliRunner

from mmf_cmsbert.commands import app
from mmf_cmsbert.datasets.readers import registry
from mmf_cmsbert.errors import ConfigError
from mmf_cmsbert.modules.shifts import registry as shifts
from mmf_cmsbert.user_package import import_package

LAYOUT = "A new dataset layout"
EXTRACTOR = "A new extractor of features"
SHIFT, LOSS = "A new shift", "A new loss in another MMF model"
LOSSES = ("train/mosi/concordance: ", "train/mosi/multimodal_contrastive: ")
SMALL = {
    "training.max_updates": 2,
    "training.evaluation_interval": 2,
    "training.log_interval": 1,
    "training.batch_size": 8,
    "training.report": False,
    "dataset_config.mosi.data_dir": "corpus",
    **{f"dataset_config.mosi.synthetic.{split}": 16 for split in ("train", "val", "test")},
}


@pytest.mark.parametrize("heading", worked_examples.sections())
def test_the_test_of_an_example_passes(heading, typed_commands, tmp_path):
    files = worked_examples.write_section(heading, tmp_path)
    tests = [file.name for file in files if file.name.startswith("test_")]
    assert tests, f"the section {heading!r} has no test"
    ran = typed_commands.run("pytest", ["-q", "-p", "no:cacheprovider", *tests], tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture
def archives(tmp_path, monkeypatch):
    """The package of the example and a corpus for its test; removed after the test."""
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


def test_every_run_on_the_page_is_tested():
    found = {heading: len(worked_examples.runs(heading)) for heading in worked_examples.sections()}
    assert found == {LAYOUT: 1, EXTRACTOR: 0, SHIFT: 1, LOSS: 2}


@pytest.mark.parametrize(
    ("heading", "number", "shown"),
    [
        (SHIFT, 0, ["cmsbert: ", "shift by average"]),
        (LOSS, 0, ["late_fusion", *LOSSES]),
        pytest.param(LOSS, 1, ["cmsbert: ", *LOSSES], marks=pytest.mark.slow),
    ],
)
def test_a_run_of_an_example_trains_with_what_it_adds(
    heading, number, shown, typed_commands, tmp_path
):
    pytest.importorskip("mmf", reason="MMF is not installed")
    worked_examples.write_section(heading, tmp_path)
    own = {path.name for path in tmp_path.iterdir()}
    words = worked_examples.runs(heading)[number]
    words = [word for word in words if word.split("=")[0] not in SMALL]
    words += [f"{key}={value}" for key, value in SMALL.items()]
    ran = typed_commands.run("mmf_run", words, tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for text in [*shown, "test/mosi/sentiment_mae: "]:
        assert text in ran.stdout
    assert {path.name for path in tmp_path.iterdir()} - own <= {"corpus", "save"}


def test_the_page_shows_what_a_misspelt_shift_gives(monkeypatch, tmp_path):
    monkeypatch.setattr(shifts, "_shifts", dict(shifts._shifts))
    worked_examples.write_section(SHIFT, tmp_path)
    import_package(tmp_path / "my_shifts", "--user-dir")
    with pytest.raises(ConfigError) as error:
        shifts.shift_named("avrage", "model_config.cmsbert.shift.context")
    assert str(error.value) in worked_examples.PAGE.read_text()
