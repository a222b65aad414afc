"""Recognise files that are not pickles by their first bytes, and say what to do with them."""

import re
from pathlib import Path

from mmf_cmsbert.datasets.readers.media_files import EXTRACTORS, is_media
from mmf_cmsbert.datasets.readers.tables import SUFFIXES

# Bytes of a file that are checked to call it a text.
START = 1024
_STARTS = {
    b"\x89HDF": "an HDF5 file (a .csd computational sequence is one)",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; type git lfs pull",
    b"<": "a web page; download the file itself",
    b"\x93NUMPY": "a .npy file",
}
_ZIPPED = {
    (".xlsx", ".ods"): "a spreadsheet; save it as CSV (UTF-8)",
    (".pt", ".pth", ".ckpt"): "a file of torch.save; save its arrays with pickle, as numpy arrays",
    (
        ".npz",
    ): "an archive of numpy arrays; expected acoustic/ID.npz or visual/ID.npz beside a list "
    "of segments",
}
_IN_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_CONTAINERS = (b"(", b"]", b"}", b")")
_NAME = re.compile(rb"c[\w.]+\r?\n[\w.]+\r?\n")  # how a pickle of protocol 0 names a function


def other_format(path: Path, start: bytes) -> str | None:
    """Describe a file whose first bytes are not those of a pickle; None if it may be one.

    Args:
        path: the file, for its suffix.
        start: its first bytes.
    """
    if is_media(path):
        return f"a media file; {EXTRACTORS}"
    if start.startswith(b"PK\x03\x04"):
        suffix = path.suffix.lower()
        named = (what for suffixes, what in _ZIPPED.items() if suffix in suffixes)
        return next(named, "a zip archive; unpack it first")
    starts = (what for magic, what in _STARTS.items() if start.lstrip().startswith(magic))
    return next(starts, None)


def is_text(start: bytes, end: bytes) -> bool:
    """Return whether a file that could not be unpickled is plain text.

    Pickles of protocol 0 are text too. They begin with a container or a name, or end in a line that
    is a full stop.

    Args:
        start: the first :data:`START` bytes.
        end: the last two bytes.
    """
    if start.startswith(_IN_UTF16):
        return True
    if start[:1] in _CONTAINERS or _NAME.match(start) or end == b"\n.":
        return False
    try:
        text = start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 4:  # not a character cut by START
            return False
        text = start[: error.start].decode("utf-8")
    return bool(text) and all(
        character.isprintable() or character in "\t\r\n" for character in text
    )


TEXT = (
    f"a text file; a list of segments needs one of the suffixes {', '.join(SUFFIXES)}, and columns "
    "such as id, text, label and split"
)
