"""The files to mutate: every kind of file that users provide, and how commands read them."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import written_layouts
from omegaconf import OmegaConf

from mmf_cmsbert.checkpoints import file as checkpoint_file
from mmf_cmsbert.config import references
from mmf_cmsbert.config.includes import ConfigFiles
from mmf_cmsbert.datasets.conversion import ConversionSettings, convert
from mmf_cmsbert.datasets.readers.source import find_source
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.datasets.stores.stored_pieces import StoredPieces, stored_pieces

SETTINGS = ConversionSettings("mosi", labelled=True)


@dataclass(frozen=True)
class Target:
    """A kind of file.

    Attributes:
        write: writes its files into an empty folder.
        read: reads them like a command; raises a UserError if they are refused.
        exact: whether the values read must equal those written.
    """

    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    exact: bool = False


def corpus(count: int = 3, **options: Any) -> dict[str, list[Segment]]:
    rng = np.random.default_rng(0)
    return {
        split: written_layouts.make_segments(rng, split, count, **options)
        for split in written_layouts.SPLITS
    }


def _converted(folder: Path) -> None:
    for split, paths in find_source([folder]).files.items():
        for segment in convert(paths, split, SETTINGS, folder.parent / f"made-{split}"):
            assert segment.words


def _write_store(folder: Path) -> None:
    segments = written_layouts.make_segments(np.random.default_rng(0), "train", 70)
    splits = dict.fromkeys(written_layouts.SPLITS, segments)
    source = written_layouts.write_mag(folder.parent / "source", splits)["train"]
    convert([source], "train", SETTINGS, folder)


def _read_store(folder: Path) -> Any:
    stored = StoredSegments(folder)
    return [asdict(stored.manifest), *(asdict(segment) for segment in stored)]


class _Letters:
    """A fake tokenizer whose word pieces are letters."""

    fingerprint = "letters"

    def __call__(self, item: dict[str, Any]) -> dict[str, Any]:
        letters = [(ord(letter), i) for i, word in enumerate(item["words"]) for letter in word]
        ids, index = np.array(letters).T
        return {"input_ids": ids, "word_index": index, "truncated": False}


def _write_pieces(folder: Path) -> None:
    _write_store(folder.parent / "store")
    stored_pieces(StoredSegments(folder.parent / "store"), _Letters(), folder, "")


def _read_pieces(folder: Path) -> Any:
    # Damaged ones are written again.
    pieces = stored_pieces(StoredSegments(folder.parent / "store"), _Letters(), folder, "")
    assert isinstance(pieces, StoredPieces)
    return list(pieces)


def _checkpoint() -> dict[str, Any]:
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7))
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.randn(4, 5)).sum().backward()
    optimizer.step()
    config = {"model": "cmsbert", "training": {"max_updates": 4, "seed": 1}}
    return {"model": network.state_dict(), "optimizer": optimizer.state_dict(), "config": config}


def _write_checkpoint(folder: Path) -> None:
    checkpoint_file.write(checkpoint_file.plain(_checkpoint()), folder / "best.ckpt")


def _write_legacy_checkpoint(folder: Path) -> None:
    torch.save(_checkpoint(), folder / "best.ckpt", _use_new_zipfile_serialization=False)


def _write_yaml(folder: Path) -> None:
    (folder / "base.yaml").write_text("env: {save_dir: ./save}\ntraining:\n  seed: 1\n")
    (folder / "mosi.yaml").write_text(
        "# mmf_run config=mosi.yaml\nincludes:\n- base.yaml\nmodel: cmsbert\ndataset: mosi\n"
        "model_config:\n  cmsbert:\n    shift: {context: utterance, beta: 1.0}\n"
        "    losses:\n    - type: sentiment_regression\n      params: {kind: l1}\n"
        "training:\n  max_updates: 200\n  experiment_name: run_${training.seed}\n"
        "evaluation:\n  metrics: [sentiment_mae, sentiment_corr]\n"
    )


def _read_yaml(folder: Path) -> None:
    config = ConfigFiles(folder).load(folder / "mosi.yaml")
    references.check(config)
    OmegaConf.to_yaml(config)


TARGETS = {
    "misa": Target(lambda folder: written_layouts.write_misa(folder, corpus()), _converted),
    "mag": Target(lambda folder: written_layouts.write_mag(folder, corpus()), _converted),
    "mmsa, aligned": Target(
        lambda folder: written_layouts.write_mmsa(folder, corpus(), lengths=False), _converted
    ),
    "mmsa, unaligned": Target(
        lambda folder: written_layouts.write_mmsa(folder, corpus(aligned=False), lengths=True),
        _converted,
    ),
    "csd": Target(lambda folder: written_layouts.write_csd(folder, corpus()), _converted),
    "folder, JSON lines": Target(
        lambda folder: written_layouts.write_folder(folder, corpus(), "jsonl"), _converted
    ),
    "folder, CSV": Target(
        lambda folder: written_layouts.write_folder(folder, corpus(), "csv"), _converted
    ),
    "store": Target(_write_store, _read_store, exact=True),
    "word pieces": Target(_write_pieces, _read_pieces, exact=True),
    "checkpoint": Target(
        _write_checkpoint, lambda folder: checkpoint_file.read(folder / "best.ckpt"), exact=True
    ),
    "checkpoint of torch's old format": Target(
        _write_legacy_checkpoint, lambda folder: checkpoint_file.read(folder / "best.ckpt")
    ),
    "YAML": Target(_write_yaml, _read_yaml),
}


def comparable(value: Any) -> Any:
    """Return a comparable form of a value: arrays by type, shape and bytes."""
    if isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes()
    if isinstance(value, dict):
        return [(key, comparable(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [comparable(item) for item in value]
    return type(value).__name__, repr(value)
