"""The measurements of data.py, each run in its own process.

    python steps.py STEP OPTIONS RESULT

OPTIONS is JSON, RESULT the JSON file to write.
"""

import json
import pickle
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Found = dict[str, float]


def private_memory(process: int | str = "self") -> int:
    """Return RssAnon in bytes: resident memory that no file backs and no other process shares."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


def write_corpus(options: dict[str, Any]) -> Found:
    import synthetic_mosei

    started = time.perf_counter()
    synthetic_mosei.write(Path(options["file"]), options["segments"], options["text"])
    return {"seconds": time.perf_counter() - started}


def load_pickle(options: dict[str, Any]) -> Found:
    """Load the whole file into memory, as code around MMSA's files does."""
    import numpy  # noqa: F401  (before the first measurement: its memory is not the data's)

    before, started = private_memory(), time.perf_counter()
    with open(options["file"], "rb") as file:
        content = pickle.load(file)
    seconds = time.perf_counter() - started
    return {
        "segments": _segments(content),
        "seconds": seconds,
        "private": private_memory() - before,
    }


def convert(options: dict[str, Any]) -> Found:
    """Make the first run with these files, until its datasets are loaded."""
    shutil.rmtree(options["stores"], ignore_errors=True)
    return _watched_run(options, epoch=False)


def run(options: dict[str, Any]) -> Found:
    """Make a later run: to its first batch, then an epoch of batches without training."""
    return _watched_run(options, epoch=True)


def _segments(content: dict) -> int:
    return sum(len(split["id"]) for split in content.values())


def _watched_run(options: dict[str, Any], epoch: bool) -> Found:
    """Run mmf_run, and measure where MMF's trainer loads datasets and prepares its first batch.

    ``seconds`` is dataset time: loading the three splits, plus the start of the first epoch to the
    first batch. Building the model, which happens in between, is left out.
    """
    from mmf_cmsbert import cli
    from mmf_cmsbert.cli import start  # noqa: F401  makes MMF importable
    from mmf.common.dataset_loader import DatasetLoader  # isort: skip
    from mmf.datasets.multi_dataset_loader import MultiDatasetLoader  # isort: skip

    found: Found = {}
    load, iterate = DatasetLoader.load_datasets, MultiDatasetLoader.__iter__

    def load_datasets(self) -> None:
        before, started = private_memory(), time.perf_counter()
        load(self)
        found["seconds"] = time.perf_counter() - started
        found["private"] = private_memory() - before
        found["before"] = before
        if not epoch:
            raise SystemExit

    def first_epoch(self):
        before, started = private_memory(), time.perf_counter()
        loading = found["private"]
        for number, batch in enumerate(iterate(self)):
            prepared = self.prepare_batch(batch)
            if number == 0:
                found["load_seconds"] = found["seconds"]
                found["seconds"] += time.perf_counter() - started
                found["private"] = loading + private_memory() - before
            found["segments"] = found.get("segments", 0) + len(prepared["segment_id"])
        found["epoch_seconds"] = time.perf_counter() - started
        found["private_after_epoch"] = loading + private_memory() - before
        raise SystemExit

    DatasetLoader.load_datasets, MultiDatasetLoader.__iter__ = load_datasets, first_epoch
    sys.argv = ["mmf_run", *command(options)]
    try:
        cli.mmf_run()
    except SystemExit as stopped:
        if stopped.code:
            raise
    return found


def command(options: dict[str, Any]) -> list[str]:
    """Return the arguments of mmf_run."""
    data, model = "dataset_config.mosei", "model_config.cmsbert.backbone"
    return [
        "config=projects/cmsbert/mosei.yaml",
        *(f"{data}.annotations.{split}=[{options['file']}]" for split in ("train", "val", "test")),
        f"{data}.store_dir={options['stores']}",
        f"{model}.name={options['backbone']}",
        # Random weights: no measurement here depends on them.
        f"{model}.from_config={options['backbone']}",
        f"env.save_dir={options['save_dir']}",
    ]


STEPS: dict[str, Callable[[dict[str, Any]], Found]] = {
    step.__name__: step for step in (write_corpus, load_pickle, convert, run)
}

if __name__ == "__main__":
    name, given, result = sys.argv[1:]
    Path(result).write_text(json.dumps(STEPS[name](json.loads(given))), encoding="utf-8")
