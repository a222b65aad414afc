"""Commands over shards, as processes of their own, for tests on real clusters."""

import json
import subprocess
import sys
import time
from pathlib import Path

from small_predictor import made

PROGRAM = "from mmf_cmsbert.commands import main; main()"


def write_shards(folder: Path, shards: int, rows: int) -> None:
    """Write a model and JSON lines, the same for the same numbers."""
    made().save_pretrained(folder / "model")
    (folder / "parts").mkdir()
    for number in range(shards):
        ids = range(number * rows, (number + 1) * rows)
        lines = [json.dumps({"id": f"s{i}", "text": "good bad " * (1 + i % 9)}) for i in ids]
        (folder / "parts" / f"{number:02}.jsonl").write_text("\n".join(lines))


def predict(output: str, *more: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, "predict", "model", "parts", "--output", output, *more]


def run(words: list[str], folder: Path, environment: dict) -> subprocess.CompletedProcess:
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=900
    )


def outputs(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.glob("*.parquet")}


def wait_for(find, seconds: float = 180.0):
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end
        time.sleep(0.2)
    return found
