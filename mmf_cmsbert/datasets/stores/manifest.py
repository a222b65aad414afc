"""The manifest of a store: its sources and settings, and a summary of its segments."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json, replaced_file, sha256_of

NAME = "manifest.json"
# Formats 1 (no checksum of the manifest) and 2 (no positions of batches) are still read.
FORMAT, _READ = 3, (1, 2, 3, 4)
# The format of a store of several shards, each a store of its own.
SHARDED = 4
# Bytes. A source file takes some 250 bytes, and a plain folder has two files per segment.
LARGEST = 1 << 26


@dataclass(frozen=True)
class SourceFile:
    """A source file of a store, identified quickly (size, time) and reliably (hash)."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The content of a store's ``manifest.json``.

    Attributes:
        sources: the source files.
        settings: everything else that the content depends on.
        content: a hash of all segments, in order.
        size: bytes of ``segments.arrow``.
        segments: number of segments.
        labels: number of segments with a label.
        label_mean: the mean of the labels, None without any.
        widths: modality -> columns, for modalities that at least one segment has.
        longest: ``words`` and modality -> the largest number in a segment.
        missing: modality -> number of segments without it.
        unaligned: a message on the first segment without one frame per word, or None.
        skipped: a message for every skipped segment.
        statistics: modality -> mean and scale of its columns, for a training split.
        extractors: the card of the extractors of the frames, see :mod:`mmf_cmsbert.media.card`;
            empty if it is unknown.
        synthetic: whether the segments come from this package's generator.
        targets: further target -> number of segments that have a known value of it.
        batches: for each record batch, its position in ``segments.arrow`` and its number of
            segments; empty in formats 1 and 2, and in a store of shards.
        shards: for a store of shards, the folder of each in the order of its segments, relative to
            this one, its number of segments, and their hash.
        format: format of the store's files.
    """

    sources: tuple[SourceFile, ...]
    settings: Mapping[str, Any]
    content: str
    size: int
    segments: int
    labels: int
    label_mean: float | None
    widths: Mapping[str, int]
    longest: Mapping[str, int]
    missing: Mapping[str, int]
    unaligned: str | None
    skipped: Sequence[str] = ()
    statistics: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)
    extractors: Mapping[str, Any] = field(default_factory=dict)
    synthetic: bool = False
    targets: Mapping[str, int] = field(default_factory=dict)
    batches: Sequence[Sequence[int]] = ()
    shards: Sequence[tuple[str, int, str]] = ()
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write it into the store's folder, completely or not at all."""
        # Without a checksum the manifest would be of format 1.
        content = asdict(self) | {"format": max(self.format, 2)}
        if not self.shards:  # earlier versions of this package read such a store
            del content["shards"]
        content["checksum"] = _checksum(content)
        with replaced_file(folder / NAME) as unfinished:
            unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of the store in ``folder``.

    Raises:
        DataError: the manifest is missing, damaged, or of another format.
    """
    path = folder / NAME
    try:
        given = read_json(path, LARGEST)
        if given["format"] not in _READ:
            raise DataError(
                f"{path}: a store of format {given['format']!r:.40}; this version reads "
                f"{', '.join(map(str, _READ))}. Convert the corpus again: cmsbert data convert"
            )
        written = given.pop("checksum", None)
        if written != _checksum(given) and (given["format"] > 1 or written is not None):
            raise ValueError("wrong checksum")
        sources = tuple(SourceFile(**source) for source in given.pop("sources"))
        batches = tuple(map(tuple, given.pop("batches", ())))
        shards = tuple(map(tuple, given.pop("shards", ())))
        manifest = Manifest(sources=sources, batches=batches, shards=shards, **given)
        for each in fields(Manifest):
            if each.type in (int, str) and not isinstance(getattr(manifest, each.name), each.type):
                raise TypeError(f"{each.name} is {getattr(manifest, each.name)!r:.40}")
        return manifest
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: not a valid manifest of a store ({type(error).__name__}: "
            f"{str(error)[:200]}); convert the corpus again: cmsbert data convert"
        ) from error


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def identify(files: Iterable[Path], known: Iterable[SourceFile] = ()) -> tuple[SourceFile, ...]:
    """Identify each file; hashes are taken from ``known`` if size and time are equal.

    Raises:
        DataError: a file cannot be read.
    """
    hashes = {(each.path, each.size, each.mtime_ns): each.sha256 for each in known}
    found = []
    for file in files:
        try:
            stat = file.stat()
            stamp = (str(file), stat.st_size, stat.st_mtime_ns)
            found.append(SourceFile(*stamp, hashes.get(stamp) or sha256_of(file)))
        except OSError as error:
            raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error
    return tuple(found)
