"""Fake runs, which neither start a process nor need MMF."""

import json
from pathlib import Path

from mmf_cmsbert.experiments.process import error_of
from mmf_cmsbert.records import provenance

CONFIG = {
    "datasets": "mosi",
    "model": "cmsbert",
    "training": {"seed": 1, "early_stop": {"criteria": "mosi/sentiment_mae", "minimize": True}},
    "run_type": "train_val_inference",
}


def resolve(words):
    """Return a configuration that contains its arguments."""
    options = dict(word.split("=", 1) for word in words)
    config = CONFIG | {"words": {k: v for k, v in options.items() if k != "env.save_dir"}}
    recipe = Path(options["config"])
    if recipe.is_file():
        config["text"] = recipe.read_text()
    return config | {"run_type": options.get("run_type", "train_inference")}


def write_record(folder, config, status="finished", **content):
    """Return the record of a run, as written by mmf_run in this environment."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "format": 1,
        "status": status,
        "seed": 1,
        "commit": provenance.commit(),
        "code_sha256": provenance.code_sha256(),
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "data": provenance.data_hashes(config),
        "backbone": None,
        "criterion": {"name": "mosi/sentiment_mae", "minimize": True},
        "best": {"update": 20, "value": 0.5},
        "updates": 30,
        "validation": {"mosi/sentiment_mae": 0.5},
        "test": {"mosi/sentiment_mae": 0.6, "mosi/sentiment_corr": 0.8},
        "config": config,
    }
    (folder / "run.json").write_text(json.dumps(record | content))


class FakeRun:
    """A fake run that ends after a number of polls, and writes a record unless it fails."""

    def __init__(self, job, looks=1, status=0, says="", **content):
        self.job, self.looks, self.status, self.stopped = job, looks, status, False
        job.folder.mkdir(parents=True, exist_ok=True)
        job.log.write_text(says)
        self.content = content

    def poll(self):
        self.looks -= 1
        if self.looks > 0:
            return None
        if self.status == 0:
            write_record(self.job.folder, self.job.config, seed=self.job.seed, **self.content)
        return self.status

    def stop(self):
        self.stopped = True

    def progress(self):
        return 5, 10

    def error(self, status, recorded):
        return error_of(self.job.log, status, recorded)


class FakeEngine:
    """An engine whose runs ``start(job, slot)`` gives."""

    def __init__(self, start, slots=1):
        self.start, self.slots = start, slots

    def prepare(self, jobs):
        pass

    def left(self):
        return None


class Silent:
    """A watcher that records its calls."""

    def __init__(self):
        self.told = []

    def started(self, job):
        self.told.append(("started", job.label))

    def progressed(self, job, made, of):
        self.told.append(("progressed", job.label, made, of))

    def ended(self, outcome):
        self.told.append(("ended", outcome.job.label, outcome.error))
