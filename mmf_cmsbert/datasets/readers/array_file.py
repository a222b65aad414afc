"""Read one array from a ``.npy`` or ``.npz`` file, with sizes checked before allocation."""

import math
import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np

from mmf_cmsbert.errors import SegmentError
from mmf_cmsbert.files import NotRegularFile, open_regular

# Largest compression ratio. Features of speech and faces are compressed to a half.
_MOST_SHRUNK, _SMALL = 64, 1 << 20
_LONGEST_HEADER = 1 << 14
# Bytes of one modality of one segment: an hour of COVAREP is 107 MB.
LARGEST = 1 << 28
# Methods that NumPy writes; others, such as LZMA, can require any amount of memory.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_array(path: Path) -> np.ndarray:
    """Read the array of a ``.npy`` file, or the only array of a ``.npz`` file.

    Raises:
        SegmentError: the file has another format, contains Python objects (pickles), or its sizes
            do not match its content.
    """
    try:
        if path.suffix == ".npy":
            with open_regular(path) as file:
                return _read(file, os.fstat(file.fileno()).st_size, path)
        with open_regular(path) as packed, zipfile.ZipFile(packed) as archive:
            members = archive.infolist()
            if len(members) != 1:
                found = ", ".join(member.filename[:40] for member in members[:4])
                raise SegmentError(
                    f"{path}: expected one array in it, found {len(members)}: {found}"
                )
            (member,) = members
            if member.compress_type not in _PACKED:
                raise SegmentError(
                    f"{path}: compressed by method {member.compress_type}, which is not "
                    "read. Save it again with numpy.savez_compressed"
                )
            if member.file_size > _MOST_SHRUNK * path.stat().st_size + _SMALL:
                raise SegmentError(
                    f"{path}: {member.file_size:,} bytes compressed to {path.stat().st_size:,}, "
                    "more than features can be; refused. If they are features, save them as .npy"
                )
            with archive.open(member) as file:
                return _read(file, member.file_size, path)
    except (SegmentError, KeyboardInterrupt):
        raise
    except NotRegularFile as error:
        raise SegmentError(str(error)) from error
    except Exception as error:  # damaged files cause many kinds of errors
        kind = "file of a numpy array" if path.suffix == ".npy" else "archive of a numpy array"
        raise SegmentError(
            f"{path}: not a complete {kind} ({type(error).__name__}: {str(error)[:200]}); save it "
            "again with numpy.save"
        ) from error


def _read(file: IO[bytes], size: int, path: Path) -> np.ndarray:
    # NumPy allocates memory for a header of any announced length before it refuses it.
    start = BytesIO(file.read(_LONGEST_HEADER))
    version = np.lib.format.read_magic(start)
    header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in header:
        raise ValueError(f"format version {version}")
    shape, in_columns, dtype = header[version](start)
    if dtype.kind not in "biuf":
        raise SegmentError(
            f"{path}: contains {dtype} values; expected numbers. Nothing was executed"
        )
    expected = math.prod(shape) * dtype.itemsize
    if size > LARGEST:
        raise SegmentError(
            f"{path}: {size:,} bytes; expected at most {LARGEST:,} for the frames of a segment. "
            "Split the segment, or pool its frames"
        )
    if any(n < 0 for n in shape) or expected != size - start.tell():
        raise ValueError(f"shape {shape} in {size:,} bytes")
    file.seek(start.tell())
    content = np.frombuffer(file.read(expected), dtype)
    return content.reshape(shape, order="F" if in_columns else "C")
