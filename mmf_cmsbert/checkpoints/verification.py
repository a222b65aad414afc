"""Checkpoint files, verified before torch reads them: complete, unaltered, of bounded size.

``torch.save`` writes a zip archive, which holds a CRC-32 of each record; ``torch.load`` does not
compare it. The older format without an archive (torch < 1.6) has no checksum; there the number of
bytes must be exact.
"""

import io
import os
import struct
import zipfile
from typing import BinaryIO

from mmf_cmsbert.checkpoints.inventory import LARGEST_PICKLE, Damaged, Storage, walk

_END = struct.Struct("<4s4H2LH")
_LARGE_END = 56 + 20  # bytes: the end of the directory in its large form, and where that is
_DOS_FOLDER = 0x10
_LARGEST_DIRECTORY = 16 << 20
_BLOCK = 1 << 20


def verify(file: BinaryIO) -> None:
    """Compare each record of a checkpoint with its checksum, and each tensor with its storage.

    Args:
        file: an open file that can be sought in; left at an arbitrary position.

    Raises:
        Damaged: it is torn, altered, or not a checkpoint.
        Foreign: loading it would call something that checkpoints do not need.
    """
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        raise Damaged("the file is empty")
    file.seek(0)
    is_archive = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    if is_archive:
        _verify_archive(file, end)
    else:
        _verify_stream(file, end)


def outline(file: BinaryIO) -> object:
    """The containers, numbers and strings of a checkpoint, without its tensors.

    Tensors are not read, and not verified. A checkpoint in the older format gives None.

    Args:
        file: an open file that can be sought in; left at an arbitrary position.

    Raises:
        Damaged: it is torn, or not a checkpoint.
        Foreign: loading it would call something that checkpoints do not need.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        return None
    try:
        _check_end(file, end)
        with zipfile.ZipFile(file) as archive:
            (entry,) = (e for e in archive.infolist() if e.filename.endswith("/data.pkl"))
            if not entry.compress_size == entry.file_size <= LARGEST_PICKLE:
                raise Damaged("its data.pkl is compressed or too large")
            content = archive.read(entry)
    except Damaged:
        raise
    except Exception as error:  # zipfile has many for damaged archives
        raise Damaged(f"{type(error).__name__}: {error}") from error
    return walk(io.BytesIO(content), len(content), lambda key, claimed: None)


def _verify_archive(file: BinaryIO, end: int) -> None:
    _check_end(file, end)
    try:
        with zipfile.ZipFile(file) as archive:
            records = _records(archive, end)
            for entry in records.values():
                with archive.open(entry) as record:
                    while record.read(_BLOCK):  # compares the CRC-32 at the end
                        pass
            names = [name for name in records if name.endswith("/data.pkl")]
            if len(names) != 1:
                raise Damaged("the archive holds no data.pkl")
            if records[names[0]].file_size > LARGEST_PICKLE:
                raise Damaged(f"its data.pkl has over {LARGEST_PICKLE >> 20} MiB")
            root, content = names[0].removesuffix("data.pkl"), archive.read(names[0])
    except Damaged:
        raise
    except Exception as error:  # zipfile has many for damaged archives
        raise Damaged(f"{type(error).__name__}: {error}") from error

    def check_storage(key: str, claimed: Storage) -> None:
        found = records.get(f"{root}data/{key}")
        if found is None or found.file_size != claimed.size:
            stored = "none" if found is None else f"{found.file_size:,}"
            raise Damaged(f"storage {key[:20]} should have {claimed.size:,} bytes and has {stored}")

    walk(io.BytesIO(content), len(content), check_storage)


def _check_end(file: BinaryIO, end: int) -> None:
    """Check that the archive ends with its directory, so that each reader finds the same one."""
    file.seek(max(0, end - _LARGE_END - _END.size))
    tail = file.read()
    if len(tail) < _END.size:
        raise Damaged("the archive is cut off")
    magic, *_, directory, _, comment = _END.unpack(tail[-_END.size :])
    if magic != b"PK\x05\x06" or comment:
        raise Damaged("the archive is cut off, or something follows it")
    if tail[-_END.size - 20 :][:4] == b"PK\x06\x07":  # the form for large archives, as torch has it
        if tail[:4] != b"PK\x06\x06":
            raise Damaged("the archive's directory is displaced")
        directory = int.from_bytes(tail[40:48], "little")
    if directory > _LARGEST_DIRECTORY:
        raise Damaged(f"the archive's directory has {directory:,} bytes")
    file.seek(0)


def _records(archive: zipfile.ZipFile, end: int) -> dict[str, zipfile.ZipInfo]:
    entries = archive.infolist()
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
            raise Damaged("compressed records, which torch.save does not write")
        if entry.external_attr & _DOS_FOLDER:  # zipfile reads it, torch leaves its tensor empty
            raise Damaged("a folder among its records")
    if sum(entry.file_size for entry in entries) > end:
        raise Damaged("records of more bytes than the file has")
    if len({entry.filename.lower() for entry in entries}) != len(entries):
        raise Damaged("two records of one name")
    return {entry.filename: entry for entry in entries}


def _verify_stream(file: BinaryIO, end: int) -> None:
    storages: dict[str, Storage] = {}

    def note(key: str, claimed: Storage) -> None:
        if storages.setdefault(key, claimed) != claimed:
            raise Damaged(f"two sizes of storage {key[:20]}")
        if claimed.size > end:
            raise Damaged(f"a storage of {claimed.size:,} bytes in a file of {end:,}")

    def none(key: str, claimed: Storage) -> None:
        raise Damaged("a storage outside the checkpoint")

    pickle_end = min(end, LARGEST_PICKLE)
    if walk(file, pickle_end, none) != 0x1950A86A20F9469CFC6C:
        raise Damaged("it does not begin as a checkpoint does")
    walk(file, pickle_end, none)  # the protocol
    walk(file, pickle_end, none)  # the machine that wrote it
    walk(file, pickle_end, note)
    keys = walk(file, pickle_end, none)
    if type(keys) is not list or sorted(map(str, keys)) != sorted(storages):
        raise Damaged("the list of its storages is wrong")
    for key in keys:
        count = file.read(8)
        if len(count) < 8 or struct.unpack("<q", count)[0] != storages[key].elements:
            raise Damaged(f"storage {key[:20]} is cut off or displaced")
        file.seek(storages[key].size, os.SEEK_CUR)
    if file.tell() != end:
        raise Damaged(f"it should have {file.tell():,} bytes and has {end:,}")
