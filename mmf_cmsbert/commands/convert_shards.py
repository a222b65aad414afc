"""``cmsbert data convert`` file by file: a store of shards, made by one or several jobs."""

import shlex
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from tqdm import tqdm

import mmf_cmsbert
from mmf_cmsbert.commands.engine_options import Place
from mmf_cmsbert.datasets.conversion import ConversionSettings
from mmf_cmsbert.datasets.readers import dataset_files, hub_reference, registry
from mmf_cmsbert.datasets.readers.names import split_in
from mmf_cmsbert.datasets.readers.parquet_rows import ParquetRows
from mmf_cmsbert.datasets.readers.reading import by_layout
from mmf_cmsbert.datasets.readers.source import Source, find_source
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.datasets.stores.store import StoredSegments
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.sharding import launch
from mmf_cmsbert.sharding.conversion import forget_joined, join, plain_settings
from mmf_cmsbert.sharding.inputs import check_once, find_shards, name_of
from mmf_cmsbert.sharding.plan import Plan, Shard
from mmf_cmsbert.utils.folder_lock import locked


def find_files(words: Sequence[Path], split: str | None, layout: str) -> Source:
    """Return the files of each split, each of which can be converted by itself.

    The split of a file is in its rows, in its name, or in that of its folder.

    Args:
        words: files, folders and patterns.
        split: the only split to read; also the split of files that name none.
        layout: the layout of all files, or ``auto``.

    Raises:
        ConfigError: some files name their split and others do not, or the files of a layout are
            read together.
        DataError: a path does not exist or holds no shards.
    """
    if any(hub_reference.is_address(word) for word in words):
        raise ConfigError(
            f"{words[0]}: only files on disk are converted file by file; leave out --by-file, "
            "--jobs and --engine"
        )
    files: dict[str, list[Path]] = {each: [] for each in SPLITS}
    layouts: dict[str, None] = {}
    unnamed: list[Path] = []
    for word in words:
        if of_splits := _of_repository(word, split, layout):
            for name, each in of_splits.items():
                files[name] += each
            continue
        for path in find_shards([word]):
            folder = None if split_in(path.stem) else split_in(path.parent.name)
            found = find_source([path], split or folder, layout)
            layouts |= dict.fromkeys(found.layouts)
            unnamed += () if split or folder else found.unnamed
            for name, each in found.files.items():
                files[name] += each
    for each in files.values():
        check_once(each)
    paths = list(dict.fromkeys(chain.from_iterable(files.values())))
    if unnamed and len(unnamed) < len(paths):
        raise ConfigError(
            f"{unnamed[0]}: names no split, but other files name theirs; convert it separately "
            "with --split train, --split val or --split test"
        )
    for kind, own in by_layout(paths, layout):
        if kind.together:
            raise ConfigError(
                f"{own[0]}: files of the layout {kind.name} hold parts of each segment and are "
                "read together; leave out --by-file, --jobs and --engine"
            )
    return Source({s: each for s, each in files.items() if each}, tuple(layouts), tuple(unnamed))


def _of_repository(folder: Path, split: str | None, layout: str) -> dict[str, list[Path]]:
    """Return the Parquet files of the splits of a Hugging Face dataset; empty for other folders.

    Raises:
        DataError: the types of columns are in the card of the folder, and not in the files.
    """
    folder = folder.expanduser().absolute()
    if layout not in ("auto", "datasets") or not folder.is_dir():
        return {}
    if (kind := registry.recognise(folder)) is None or kind.name != "datasets":
        return {}
    files = {}
    for name in dataset_files.splits_of(folder):
        rows = dataset_files.rows_of(folder, name)
        if split not in (None, name) or not isinstance(rows, ParquetRows):
            continue
        files[name] = [Path(file) for file in rows.files]
        own = dataset_files.rows_of(files[name][0], name)
        if own.features != rows.features:
            raise DataError(
                f"{files[name][0]}: its columns have other types than README.md of the folder "
                "states; leave out --by-file, --jobs and --engine"
            )
    return files


def convert_files(
    source: Source,
    settings: ConversionSettings,
    folder: Path,
    jobs: int,
    place: Place,
    user_dir: Path | None,
) -> dict[str, StoredSegments]:
    """Convert each file by itself, and join the shards of each split.

    Args:
        source: from :func:`find_files`.
        settings: how to convert segments.
        folder: the folder of stores to write.
        jobs: jobs at once.
        place: where.
        user_dir: as typed, or None.

    Raises:
        UserError: the folder cannot be used, or the shards do not fit together.
        typer.Exit: with status 1 if shards failed.
    """
    shards = [
        Shard(str(file), f"{split}/shards/{name_of(file)}", split)
        for split, files in source.files.items()
        for file in files
    ]
    run_with: dict[str, Any] = {"user_dir": user_dir and str(user_dir.absolute())}
    wanted = Plan(
        folder,
        "stores",
        plain_settings(settings),
        run_with,
        tuple(shards),
        jobs,
        version=mmf_cmsbert.__version__,
    )
    console = Console()
    with locked(folder, shlex.join(["cmsbert", *sys.argv[1:]]), "--output FOLDER"):
        plan = launch.prepare(wanted, {}, console)
        forget_joined(plan)
        here = place.engine == "local" and jobs == 1
        made = launch.make(plan, None if here else place.start(jobs, folder / "_shards"), console)
        if not launch.report(made, console):
            raise typer.Exit(1)
        bar = tqdm(desc="comparing checksums", unit=" segments", disable=None)
        with bar:
            return join(made.plan, bar.update)
