"""Predict a shard: one file of predictions, in the order of the input."""

import csv
import hashlib
import json
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmf_cmsbert.errors import ConfigError, DataError, SegmentError
from mmf_cmsbert.files import sha256_of
from mmf_cmsbert.sharding.identity import Identity, identify
from mmf_cmsbert.sharding.plan import FOLDER, Plan, Shard

if TYPE_CHECKING:
    from mmf_cmsbert.predictor import SentimentPredictor
    from mmf_cmsbert.predictor.prediction import Prediction as Predicted


class Prediction:
    """Predicts the shards of a plan; a :class:`.work.Work`.

    Args:
        plan: its ``made_with`` has ``model`` (a hash), ``dataset``, ``split``, ``batch_size``,
            ``precision``, ``columns`` and ``format``; its ``run_with`` has ``model``, the folder,
            and ``device``.
    """

    def __init__(self, plan: Plan):
        self._plan = plan

    @cached_property
    def _predictor(self) -> "SentimentPredictor":
        from mmf_cmsbert.predictor import SentimentPredictor
        from mmf_cmsbert.user_package import import_package

        given, options = self._plan.run_with, self._plan.made_with
        if given["user_dir"]:
            import_package(Path(given["user_dir"]), "--user-dir")
        folder = Path(given["model"])
        if model_hash(folder) != options["model"]:
            raise ConfigError(f"{folder}: the model has changed; type the command again")
        return SentimentPredictor(
            folder,
            device=given["device"],
            dataset=options["dataset"],
            precision=options["precision"],
        )

    def is_done(self, shard: Shard) -> bool:
        """Return whether input and output are those of the result."""
        found = shard.result
        if found is None or found["model"] != self._plan.made_with["model"]:
            return False
        known = Identity(**found["input"])
        try:
            same = identify(Path(shard.input), known).content == known.content
            return same and sha256_of(self._plan.folder / shard.output) == found["sha256"]
        except (DataError, OSError):
            return False

    def make(self, shard: Shard) -> Mapping[str, Any]:
        """Predict the input, and compare numbers and order of rows with what was written.

        Raises:
            DataError: the input cannot be read, has changed, or the rows differ.
        """
        from mmf_cmsbert.predictor.prediction import columns
        from mmf_cmsbert.predictor.prediction_file import as_row, write_rows
        from mmf_cmsbert.predictor.sources import extractors_of_input, read_segments

        predictor, given, options = self._predictor, Path(shard.input), self._plan.made_with
        began, before = time.monotonic(), identify(given)
        split = options["split"]
        predictor.check_extractors(extractors_of_input(given, split), str(given))
        widths = predictor.config.widths(predictor.dataset)
        ids = _Order(given)
        segments = read_segments(given, split, widths, predictor.label_targets, options["columns"])
        read = ids.read(segments)
        rows = map(as_row, ids.predicted(predictor.stream(read, options["batch_size"])))
        output = self._plan.folder / shard.output
        errors = self._plan.folder / FOLDER / "errors" / f"{shard.output}.txt"
        errors.parent.mkdir(parents=True, exist_ok=True)
        predicted, bad = write_rows(output, rows, columns(predictor.targets), errors)
        if identify(given, before) != before:
            output.unlink()
            raise DataError(f"{given}: changed while being read; type the command again")
        ids.check(output, predicted, bad, stated_rows(given, split))
        return {
            "input": asdict(before),
            "rows": predicted + bad,
            "bad_rows": bad,
            "ids": ids.digest.hexdigest(),
            "sha256": sha256_of(output),
            "model": options["model"],
            "version": self._plan.version,
            "device": str(predictor.device),
            "host": socket.gethostname(),
            "seconds": round(time.monotonic() - began, 3),
        }


class _Order:
    """Compares the rows that are written with those that were read, without keeping them.

    Attributes:
        digest: a hash of the ids of all predictions, in order.
    """

    def __init__(self, given: Path):
        self.digest = hashlib.sha256()
        self._given, self._read = given, 0
        self._waiting: deque[str | None] = deque()

    def read(self, segments: Iterable[Any]) -> Iterator[Any]:
        for each in segments:
            self._read += 1
            self._waiting.append(None if isinstance(each, SegmentError) else each.id)
            yield each

    def predicted(
        self, results: Iterable["Predicted | SegmentError"]
    ) -> Iterator["Predicted | SegmentError"]:
        for each in results:
            expected = self._waiting.popleft()
            if not isinstance(each, SegmentError):
                if each.id != expected:
                    raise DataError(f"{self._given}: {each.id} was predicted instead of {expected}")
                _add(self.digest, each.id)
            yield each

    def check(self, output: Path, predicted: int, bad: int, stated: int | None) -> None:
        """Compare the numbers of rows, and the ids in the written file.

        Raises:
            DataError: they differ.
        """
        digest, written = hashlib.sha256(), 0
        for name in _ids_in(output):
            _add(digest, name)
            written += 1
        rows = {self._read, predicted + bad, written + bad, stated or self._read}
        if len(rows) > 1 or self._waiting or digest.digest() != self.digest.digest():
            output.unlink()
            raise DataError(
                f"{self._given}: {self._read} rows were read, {predicted} predicted, {bad} could "
                f"not be used, and {written} are in {output}, perhaps in another order; type the "
                "command again"
            )


def _add(digest: Any, name: str) -> None:
    digest.update(f"{len(name)} {name}".encode())


def _ids_in(file: Path) -> Iterator[str]:
    if file.suffix == ".parquet":
        import pyarrow.parquet as parquet

        with parquet.ParquetFile(file) as opened:
            for batch in opened.iter_batches(columns=["id"]):
                yield from batch.column(0).to_pylist()
        return
    with open(file, encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines) if file.suffix == ".csv" else map(json.loads, lines)
        yield from (row["id"] for row in rows)


def stated_rows(given: Path, split: str | None) -> int | None:
    """Return the number of rows that a file states itself; None if it states none."""
    from mmf_cmsbert.datasets.stores import manifest

    if given.suffix.lower() == ".parquet":
        import pyarrow.parquet as parquet

        return int(parquet.read_metadata(given).num_rows)
    if (given / manifest.NAME).is_file() and split is None:
        return manifest.read_manifest(given).segments
    return None


def model_hash(folder: Path) -> str:
    """Return a hash of everything in a model's folder that predictions depend on."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.suffix != ".md" and not file.name.startswith("."):
            digest.update(f"{file.name} {sha256_of(file)}\n".encode())
    return digest.hexdigest()
