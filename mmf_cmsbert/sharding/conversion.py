"""Convert a shard: one store for each input and split, which are then joined into one."""

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mmf_cmsbert.config.schemas.targets import KINDS
from mmf_cmsbert.datasets import conversion
from mmf_cmsbert.datasets.conversion import ConversionSettings
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.datasets.stores.joining import join_stores
from mmf_cmsbert.datasets.stores.manifest import NAME as MANIFEST
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.sharding.plan import Plan, Shard


class Conversion:
    """Converts the shards of a plan; a :class:`.work.Work`.

    Args:
        plan: its ``made_with`` has the settings as :func:`plain_settings` gives them; its
            ``run_with`` has ``user_dir``.
    """

    def __init__(self, plan: Plan):
        from mmf_cmsbert.user_package import import_package

        if plan.run_with["user_dir"]:
            import_package(Path(plan.run_with["user_dir"]), "--user-dir")
        self._plan = plan
        self._settings = _settings(plan.made_with)
        self._splits: dict[str, int] = {}
        for each in plan.shards:
            self._splits[each.input] = self._splits.get(each.input, 0) + 1

    def _given(self, shard: Shard) -> tuple[list[Path], str, ConversionSettings, Path, list[Path]]:
        """Return the arguments of :func:`.conversion.convert`."""
        files, split = [Path(shard.input)], str(shard.split)
        elsewhere = files if self._splits[shard.input] > 1 else []
        needs = replace(self._settings, labelled=split != "test")
        return files, split, needs, self._plan.folder / shard.output, elsewhere

    def is_done(self, shard: Shard) -> bool:
        """Return whether the store is that of the input and the settings."""
        return conversion.is_current(*self._given(shard))

    def make(self, shard: Shard) -> Mapping[str, Any]:
        """Convert the input.

        Raises:
            DataError: the input or a segment cannot be used.
        """
        began = time.monotonic()
        files, split, needs, folder, elsewhere = self._given(shard)
        try:
            store = conversion.convert(files, split, needs, folder, elsewhere, is_part=True)
        except SegmentError as error:
            raise DataError(message_of(error, needs.corpus)) from error
        found = store.manifest
        return {
            "rows": found.segments + len(found.skipped),
            "bad_rows": len(found.skipped),
            "content": found.content,
            "version": self._plan.version,
            "host": socket.gethostname(),
            "seconds": round(time.monotonic() - began, 3),
        }


def join(plan: Plan, on_segment: Callable[[], Any]) -> dict[str, StoredSegments]:
    """Join the shards of each split into one store, as if all files had been converted together.

    Args:
        plan: a plan whose shards are done.
        on_segment: called for each segment that is compared with its checksum.

    Returns:
        Split -> its store.

    Raises:
        DataError: a shard is damaged, or the shards do not fit together.
    """
    settings = _settings(plan.made_with)
    files = {split: [Path(s.input) for s in plan.shards if s.split == split] for split in SPLITS}
    stores = {}
    for split in (each for each in SPLITS if files[each]):
        others = [file for other, each in files.items() if other != split for file in each]
        needs = replace(settings, labelled=split != "test")
        made_with = conversion.settings_of(files[split], split, needs, others)
        folder = plan.folder / split
        names = [
            (plan.folder / each.output).relative_to(folder).as_posix()
            for each in plan.shards
            if each.split == split
        ]
        join_stores(folder, names, made_with, on_segment)
        conversion.add_statistics(folder, split)
        stores[split] = StoredSegments(folder)
    return stores


def forget_joined(plan: Plan) -> None:
    """Remove the manifests of joined stores of which a shard is not done."""
    for split in {each.split for each in plan.shards if each.result is None}:
        (plan.folder / str(split) / MANIFEST).unlink(missing_ok=True)


def message_of(error: DataError, corpus: str) -> str:
    """Return the message of an error of converting, which names options instead of keys."""
    hint = ". To skip such segments, type --skip-invalid" * isinstance(error, SegmentError)
    key = f"dataset_config.{corpus}.non_finite=zero"
    return (str(error) + hint).replace(key, "--non-finite zero")


def plain_settings(settings: ConversionSettings) -> dict[str, Any]:
    """Return settings as plain values, for the manifest."""
    vocabulary = settings.vocabulary and str(settings.vocabulary.absolute())
    return asdict(settings) | {"targets": settings.stated_targets, "vocabulary": vocabulary}


def _settings(plain: Mapping[str, Any]) -> ConversionSettings:
    targets = plain["targets"] and {
        name: KINDS[each["kind"]].model_validate(each) for name, each in plain["targets"]
    }
    vocabulary = plain["vocabulary"] and Path(plain["vocabulary"])
    return ConversionSettings(**{**plain, "targets": targets, "vocabulary": vocabulary})
