"""Weights & Biases in offline mode; skipped where it is not installed."""

import struct

import pytest

from mmf_cmsbert.trackers import TrackedRun, open_all

wandb = pytest.importorskip("wandb", reason="Weights & Biases is optional: pip install wandb")


def test_values_of_an_offline_run_are_in_the_folder_of_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    settings = {"enabled": True, "entity": None, "project": "mine", "tags": ["a"]}
    config = {"training": {"seed": 3, "wandb": settings}}
    (tracker,) = open_all(["wandb"], TrackedRun("name", tmp_path, tmp_path, config))
    tracker.log({"val/mosi/mae": 0.5}, 30)
    tracker.log({"val/mosi/mae": 0.25}, 60)
    tracker.close(finished=True)
    (file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    assert tracker.view == f"wandb sync {file.parent}"
    found, run = [], None
    for record in records(file):
        if record.history.item:
            items = {i.key or "/".join(i.nested_key): i.value_json for i in record.history.item}
            found.append({name: items[name] for name in ("update", "val/mosi/mae")})
        if record.run.run_id:
            run = record.run
    assert found == [
        {"update": "30", "val/mosi/mae": "0.5"},
        {"update": "60", "val/mosi/mae": "0.25"},
    ]
    assert (run.project, run.display_name, list(run.tags)) == ("mine", "name", ["a"])


def records(file):
    """The records of a .wandb file: 7 bytes, then LevelDB's log format (blocks of 32 KiB)."""
    from wandb.proto import wandb_internal_pb2

    content, position, data = file.read_bytes(), 7, b""
    while position + 7 <= len(content):
        if 32768 - position % 32768 < 7:  # too short for a header
            position += 32768 - position % 32768
            continue
        size, kind = struct.unpack_from("<HB", content, position + 4)
        data += content[position + 7 : position + 7 + size]
        position += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            yield record
            data = b""
