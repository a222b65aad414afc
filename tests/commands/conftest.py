"""Fixtures for tests of the commands: a working folder, and fake runs."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mmf_cmsbert.commands import app
from mmf_cmsbert.config import definitions
from mmf_cmsbert.experiments import job
from mmf_cmsbert.experiments.engines import local
from mmf_cmsbert.experiments.process import error_of
from mmf_cmsbert.records import provenance

MAE = "mosi/sentiment_mae"


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


@pytest.fixture
def define(cmsbert, monkeypatch):
    """Define a dataset in the working folder, which is forgotten after the test."""
    monkeypatch.setenv("MMF_CMSBERT_DATASETS", "{}")
    for name in ("_defined", "_stamps"):
        monkeypatch.setattr(definitions, name, {})

    def defined(name, **keys):
        Path("datasets").mkdir()
        section = {"dataset_config": {name: keys}}
        Path("datasets", f"{name}.yaml").write_text(yaml.safe_dump(section))

    return defined


@pytest.fixture
def runs(monkeypatch):
    """The words that ``mmf_run`` was given, run by run; each ends at once, scoring its seed."""
    begun = []

    class Run:
        def __init__(self, words, log, threads, gpu=None, entry=None):
            self.log = log
            begun.append(words)
            options = dict(word.split("=", 1) for word in words)
            self.status = int("broken" in options["config"])
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("mmf_run: error: it is broken\n" * self.status)
            config = resolve(words)
            record = {
                "format": 1, "status": "finished", "seed": int(options["training.seed"]),
                "commit": None, "code_sha256": provenance.code_sha256(), "backbone": None,
                "versions": provenance.versions(), "data": {}, "updates": 9, "config": config,
                "criterion": {"name": MAE, "minimize": True},
                "best": {"update": 3, "value": 0.5}, "validation": {MAE: 0.5},
                "test": {MAE: float(options["training.seed"])},
            }  # fmt: skip
            if not self.status:
                (log.parent / "run.json").write_text(json.dumps(record))

        def poll(self):
            return self.status

        def progress(self):
            return None

        def stop(self):
            pass

        def error(self, status, recorded):
            return error_of(self.log, status, recorded)

    def resolve(words):
        kept = [w for w in words if not w.startswith(("env.", "checkpoint", "run_type"))]
        run_type = next(w for w in words if w.startswith("run_type="))
        return {"words": kept, "run_type": run_type.removeprefix("run_type=")}

    monkeypatch.setattr(local, "JobProcess", Run)
    monkeypatch.setattr(job, "resolve", resolve)
    return begun
