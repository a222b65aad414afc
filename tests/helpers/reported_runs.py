"""The folder of a finished run, with a small model of random weights and data in a store."""

import json

import numpy as np
import yaml
from small_predictor import made

from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.store import write_store
from mmf_cmsbert.records import provenance
from mmf_cmsbert.records.history import History, Training, Validation
from mmf_cmsbert.report.collected import HeatMap, ScoredSegment

WORDS = ["a", "very", "good", "film", "that", "i", "would", "not", "see", "again"]
MAE = "mosi/sentiment_mae"


def segments(count=12, texts=(), seed=0):
    """Return labelled segments: every third without face, every fifth without voice."""
    rng = np.random.default_rng(seed)
    found = []
    for i in range(count):
        words = texts[i].split(" ") if i < len(texts) else WORDS[: 2 + i % 8]
        faces = rng.normal(0, 1, (3 + i % 5, 5)).astype(np.float32) if i % 3 else None
        voices = rng.normal(0, 1, (2 + i % 4, 4)).astype(np.float32) if i % 5 else None
        frames = {"visual": faces, "acoustic": voices}
        times = (2.0, 4.0) if i == 1 else (None, None)
        label = round(float(rng.uniform(-3, 3)), 2)
        found.append(Segment(f"clip[{i}]", "v", tuple(words), frames, label, *times))
    return found


def write_run(folder, found=None, seed=1, shift=0.0, history=True, **record):
    """Write the files of a finished run; return its folder.

    Args:
        folder: the folder to write to; a store of the test split is written beside it.
        found: the segments of the test split.
        seed: the seed of the run.
        shift: added to the bias of the model's head.
        history: whether to write a history.
        record: changes of its ``run.json``.
    """
    folder.mkdir(parents=True)
    store = folder.parent / f"{folder.name} data"
    store.mkdir()
    found = segments() if found is None else found
    write_store(store, found, sources=(), settings={})
    predictor = made()
    predictor.network.head.bias.data += shift
    predictor.save_pretrained(folder / "model")
    true = np.array([each.label for each in found])
    scores = np.array([each.score for each in predictor(found)])
    scored = {MAE: float(np.abs(scores - true).mean()), "mosi/sentiment_corr": 0.5}
    config = {
        "config_version": 1.0,
        "datasets": "mosi",
        "model": "cmsbert",
        "distributed": {"init_method": None},
        "env": {"save_dir": str(folder)},
        "training": {"seed": seed, "experiment_name": None},
        "model_config": {"cmsbert": {"backbone": {"name": "projects/cmsbert/demo"}}},
        "dataset_config": {
            "mosi": {
                "features": {"visual": 5, "acoustic": 4},
                "annotations": {"train": ["none"], "val": ["none"], "test": [str(store)]},
                "data_dir": str(folder.parent),
                "store_dir": str(folder.parent / "stores"),
            }
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    content = {
        "format": 1,
        "status": "finished",
        "command": f"mmf_run config=projects/cmsbert/mosi.yaml training.seed={seed}",
        "started": "2026-11-27T09:00:00+00:00",
        "ended": "2026-11-27T09:02:05+00:00",
        "seed": seed,
        "commit": None,
        "code_sha256": "0" * 64,
        "versions": provenance.versions(),
        "machine": {"system": "Linux x86_64", "gpu": None, "threads": 2},
        "data": {},
        "backbone": None,
        "criterion": {"name": MAE, "minimize": True},
        "best": {"update": 20, "value": 0.5},
        "updates": 30,
        "validation": {MAE: 0.5, "mosi/sentiment_corr": 0.25},
        "test": scored,
        "error": None,
        "config": config,
    }
    (folder / "run.json").write_text(json.dumps(content | record))
    if history:
        kept = History(folder)
        for update in (10, 20, 30):
            rate = 1e-3 / update
            kept.append(Training(update, 1, 10, rate, {"mosi/sentiment_regression": 10 / update}))
            kept.append(Validation(update, 1, {MAE: 0.5 + abs(update - 20) / 50}))
    return folder


def long_segment(number):
    """A scored segment of 30 words and 500 frames, as MOSEI has them."""
    rows = ["A" * 48] * 30
    heat = {m: HeatMap(frames=500, largest=0.1, rows=rows) for m in ("visual", "acoustic")}
    sizes = [0.1234] * 30
    return ScoredSegment(
        id=f"some-video-of-mosei[{number}]",
        words=[f"word{i}" for i in range(30)],
        label=number % 7 - 3,
        score=number % 5 - 2,
        modalities=list(heat),
        shift=sizes,
        shifts=dict.fromkeys(heat, sizes),
        heat=heat,
    )
