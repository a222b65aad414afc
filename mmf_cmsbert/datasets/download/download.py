"""Download CMU-MultimodalSDK's published computational sequences of CMU-MOSI and CMU-MOSEI."""

import json
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mmf_cmsbert.datasets.download import transfer
from mmf_cmsbert.datasets.download.limits import Limits
from mmf_cmsbert.datasets.readers import csd_file
from mmf_cmsbert.datasets.readers.canonical import canonical_videos
from mmf_cmsbert.datasets.segment import SPLITS
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_regular, replace_text, sha256_of, write_error

# The classic features: 47 (MOSI) or 35 (MOSEI) visual columns, 74 acoustic ones.
FEATURES = ("words", "labels", "facet", "covarep")
# In the standard format: `sha256sum -c SHA256SUMS` checks the files too.
SUMS = "SHA256SUMS"
_LOCK = ".download.lock"
# Addresses as CMU-MultimodalSDK publishes them.
_ADDRESSES = Path(__file__).with_name("csd_addresses.json")
_LARGEST_SUMS = 1 << 20
# Feature -> a part of the names of its sequences.
_NAMES = {
    "words": "word",
    "labels": "label",
    "facet": "facet",
    "covarep": "covarep",
    "openface": "openface",
    "opensmile": "opensmile",
}


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def download(
    dataset: str,
    folder: Path,
    *,
    features: Sequence[str] = FEATURES,
    mirror: str | None = None,
    progress: bool | None = None,
    say: Callable[[str], None] = _to_stderr,
    limits: Limits | None = None,
) -> list[Path]:
    """Download a corpus's ``.csd`` files into a folder, which can be read with the layout ``csd``.

    Existing files are checked and kept; an interrupted download is resumed. The server publishes
    no checksums, so the SHA-256 of each file is written to ``SHA256SUMS``. A file that is listed
    there must match: two machines can compare their downloads.

    Args:
        dataset: ``mosi`` or ``mosei``.
        folder: the folder for the files; created if missing.
        features: names from :func:`available`. If a folder has two features of one modality
            (``facet``, ``openface``), its files must be named one by one when they are read.
        mirror: the address of a copy of the published server, with the same folders.
        progress: whether to show progress bars; None shows them on a terminal only.
        say: receives a line for each step.
        limits: limits of time and bytes for all files together; None for the defaults.

    Returns:
        The files, in the order of ``features``.

    Raises:
        ConfigError: the corpus or a feature is unknown.
        DataError: a file cannot be downloaded within the limits, or is not the expected one.
    """
    paths = available(dataset)
    unknown = [feature for feature in features if feature not in paths]
    if unknown or not features:
        raise ConfigError(
            f"{', '.join(map(repr, unknown)) or 'nothing'}: no published feature of {dataset}; "
            f"expected {', '.join(paths)}"
        )
    server = (mirror or _table()["server"]).rstrip("/")
    if not re.match(r"https?://[^/]", server):
        raise ConfigError(f"{server}: expected the address of a server, http://... or https://...")
    limits = limits or Limits()
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK, timeout=0):
            try:
                return [
                    _have(
                        f"{server}/{paths[feature]}",
                        folder,
                        dataset,
                        feature,
                        progress,
                        say,
                        limits,
                    )
                    for feature in dict.fromkeys(features)
                ]
            finally:
                if new:
                    _remove_if_empty(folder)
    except Timeout as error:
        raise DataError(f"{folder}: another download into this folder is running") from error
    except OSError as error:
        raise write_error(error, folder) or DataError(
            f"{error.filename or folder}: {error.strerror or error}"
        ) from error


def _remove_if_empty(folder: Path) -> None:
    """Remove the folder if it contains only the lock."""
    with suppress(OSError):
        if [each.name for each in folder.iterdir()] == [_LOCK]:
            (folder / _LOCK).unlink()
            folder.rmdir()


def available(dataset: str) -> dict[str, str]:
    """Map each feature to its path on the server.

    Raises:
        ConfigError: the corpus is unknown.
    """
    corpora = {name: paths for name, paths in _table().items() if name != "server"}
    if dataset not in corpora:
        raise ConfigError(f"{dataset!r}: no corpus to download; expected {' or '.join(corpora)}")
    return corpora[dataset]


@cache
def _table() -> dict[str, Any]:
    return json.loads(_ADDRESSES.read_text(encoding="utf-8"))


def _have(
    address: str,
    folder: Path,
    dataset: str,
    feature: str,
    progress: bool | None,
    say: Callable[[str], None],
    limits: Limits,
) -> Path:
    path = folder / address.rpartition("/")[2]
    if path.exists():
        _check(path, dataset, feature, "Move it away, and type the same command to download it")
        say(f"{path}: already there")
        return path

    part = path.with_name(path.name + ".part")
    say(f"{path}: from {address}")
    try:
        transfer.fetch(address, part, csd_file.MAGIC, progress, limits)
    except KeyboardInterrupt:
        came = part.stat().st_size if part.exists() else 0
        say(f"interrupted; {came:,} bytes are in {part}; the same command resumes there")
        raise
    except DataError as error:
        kept = ", which resumes" if transfer.can_go_on(part, address) else ""
        raise DataError(
            f"{error}. Type the same command to try again{kept}; or name another server with "
            f"--mirror; or copy {path.name} from another source to {path}, and type the same "
            "command. Other layouts of the corpus need no download"
        ) from error
    try:
        _check(part, dataset, feature, "Type the same command to download it again", path.name)
    except DataError:
        transfer.forget(part)
        raise
    os.replace(part, path)
    transfer.forget(part)
    return path


def _check(path: Path, dataset: str, feature: str, advice: str, name: str | None = None) -> None:
    """Check a file's feature and videos, and its checksum if SHA256SUMS lists it."""
    name = name or path.name
    try:
        with csd_file.open_sequence(path) as sequence:
            found = sequence.name.lower()
            others = [n for f, n in _NAMES.items() if f != feature and n in found]
            # A name with no known part is accepted: not all published names are known.
            if others and _NAMES[feature] not in found:
                raise DataError(f"{path}: expected {feature}, found the sequence {sequence.name!r}")
            videos = [v for s in SPLITS for v in canonical_videos(dataset, s)]
            ours = next((video for video in videos if video in sequence.videos), None)
            if ours is None:
                raise DataError(
                    f"{path}: expected videos of {dataset}, found "
                    f"{', '.join(sorted(sequence.videos)[:3]) or 'none'}"
                )
            rows, _ = sequence.read(ours)
            if (rows.dtype.kind == "S") != (feature == "words"):
                raise DataError(f"{path}: expected {feature}, found rows of type {rows.dtype}")
    except DataError as error:
        raise DataError(f"{error}. {advice}") from error

    sums = path.with_name(SUMS)
    known = _sums(sums)
    found = sha256_of(path)
    if known.setdefault(name, found) != found:
        raise DataError(
            f"{path}: its SHA-256 is {found}, expected {known[name]} from {sums}: damaged, or "
            f"another version. {advice}; to accept it, remove its line from {SUMS}"
        )
    lines = "".join(f"{s}  {n}\n" for n, s in sorted(known.items()))
    replace_text(sums, lines)


def _sums(path: Path) -> dict[str, str]:
    """Read file names and their SHA-256, in the format of ``sha256sum``."""
    if not path.exists():
        return {}
    sums = {}
    lines = read_regular(path, _LARGEST_SUMS).decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines, 1):
        match = re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line)
        if match is None:
            raise DataError(
                f"{path}, line {number}: expected a SHA-256 and a file name, found {line[:80]!r}"
            )
        sums[match[2]] = match[1]
    return sums
