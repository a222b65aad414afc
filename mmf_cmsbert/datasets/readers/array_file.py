"""One array out of a ``.npy`` or ``.npz`` file, whose sizes are checked before memory is taken."""

import math
import os
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np

from mmf_cmsbert.errors import SegmentError
from mmf_cmsbert.files import NotRegularFile, open_regular

# Features of speech and faces shrink to a half; what shrinks further than this is made to.
_MOST_SHRUNK, _SMALL = 64, 1 << 20
_LONGEST_HEADER = 1 << 14
# Bytes of one modality of one segment: an hour of COVAREP is 107 MB.
LARGEST = 1 << 28
# What numpy writes; others, such as LZMA, can ask for any memory.
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def read_array(path: Path) -> np.ndarray:
    """The array of a ``.npy`` file, or the only one of a ``.npz`` file. No pickles inside.

    Raises:
        SegmentError: not such a file, Python objects in it, or sizes that its content does not bear
            out.
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
                    f"{path}: packed by method {member.compress_type}; expected what "
                    "numpy.savez_compressed writes. Save it again so"
                )
            if member.file_size > _MOST_SHRUNK * path.stat().st_size + _SMALL:
                raise SegmentError(
                    f"{path}: {member.file_size:,} bytes are packed into {path.stat().st_size:,}, "
                    "which no features are; refused. If they are, save them as .npy"
                )
            with archive.open(member) as file:
                return _read(file, member.file_size, path)
    except (SegmentError, KeyboardInterrupt):
        raise
    except NotRegularFile as error:
        raise SegmentError(str(error)) from error
    except Exception as error:  # a damaged file fails in as many ways as it has bytes
        kind = "file of a numpy array" if path.suffix == ".npy" else "archive of a numpy array"
        raise SegmentError(
            f"{path}: no complete {kind} ({type(error).__name__}: {str(error)[:200]}); save it "
            "again with numpy.save"
        ) from error


def _read(file: IO[bytes], size: int, path: Path) -> np.ndarray:
    # numpy makes room for as long a header as is announced, before it refuses it.
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
        raise SegmentError(f"{path}: holds {dtype} values; expected numbers. Nothing was executed")
    expected = math.prod(shape) * dtype.itemsize
    if size > LARGEST:
        raise SegmentError(
            f"{path}: {size:,} bytes; expected at most {LARGEST:,} of frames of a segment. Cut the "
            "segment, or pool its frames"
        )
    if any(n < 0 for n in shape) or expected != size - start.tell():
        raise ValueError(f"shape {shape} in {size:,} bytes")
    file.seek(start.tell())
    content = np.frombuffer(file.read(expected), dtype)
    return content.reshape(shape, order="F" if in_columns else "C")
