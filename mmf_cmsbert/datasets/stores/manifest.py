"""What a store says of itself: what it was made from, and what a run wants to know at once."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mmf_cmsbert.errors import DataError
from mmf_cmsbert.files import read_json, replaced_file, sha256_of

NAME = "manifest.json"
# Format 1 has no checksum of the manifest itself; it is still read.
FORMAT, _READ = 2, (1, 2)
# Bytes; a source file takes some 250 of them, and a plain folder has two a segment.
LARGEST = 1 << 26


@dataclass(frozen=True)
class SourceFile:
    """A file that a store was made from: as it is told from another, quickly and for certain."""

    path: str
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What stands in a store's ``manifest.json``.

    Attributes:
        sources: the files that it was made from.
        settings: everything else that its content depends on.
        content: a hash of all segments, in their order.
        size: bytes of its ``segments.arrow``.
        segments: how many there are.
        labels: how many of them have a label.
        label_mean: the mean of these labels, None without any.
        widths: modality -> columns, of the modalities that any segment has.
        longest: ``words`` and modality -> the largest number in a segment.
        missing: modality -> how many segments have not got it.
        unaligned: the first segment that has not one frame a word, in words, or None.
        skipped: a message for every segment that was left out.
        statistics: modality -> mean and scale of its columns, of a training split.
        synthetic: whether the segments come from this package's generator.
        format: of the store's files.
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
    synthetic: bool = False
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write it into the store's folder, whole or not at all."""
        content = asdict(self) | {"format": FORMAT}
        content["checksum"] = _checksum(content)
        with replaced_file(folder / NAME) as unfinished:
            unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the store in ``folder``.

    Raises:
        DataError: there is none, it is damaged, or it is of another format.
    """
    path = folder / NAME
    try:
        given = read_json(path, LARGEST)
        if given["format"] not in _READ:
            raise DataError(
                f"{path}: a store of format {given['format']!r:.40}; this version reads "
                f"{' and '.join(map(str, _READ))}. Convert the corpus again: cmsbert data convert"
            )
        written = given.pop("checksum", None)
        if written != _checksum(given) and (given["format"] > 1 or written is not None):
            raise ValueError("its checksum differs from the one that was written with it")
        sources = tuple(SourceFile(**source) for source in given.pop("sources"))
        manifest = Manifest(sources=sources, **given)
        for each in fields(Manifest):
            if each.type in (int, str) and not isinstance(getattr(manifest, each.name), each.type):
                raise TypeError(f"{each.name} is {getattr(manifest, each.name)!r:.40}")
        return manifest
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: no manifest of a store ({type(error).__name__}: {str(error)[:200]}); convert "
            "the corpus again: cmsbert data convert"
        ) from error


def _checksum(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def identify(files: Iterable[Path], known: Iterable[SourceFile] = ()) -> tuple[SourceFile, ...]:
    """Each file with its hash, which is taken from ``known`` where size and time are the same.

    Raises:
        DataError: a file that cannot be read.
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
