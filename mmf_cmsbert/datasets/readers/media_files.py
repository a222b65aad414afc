"""Audio and video files beside segments: they are not read, and a message says so."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

_SOUND = ".wav .mp3 .flac .m4a .aac .ogg .opus .wma .aiff"
_PICTURES = ".mp4 .avi .mkv .mov .webm .wmv .m4v .mpg .mpeg .flv .3gp"
SUFFIXES = frozenset(f"{_SOUND} {_PICTURES}".split())
# Limits of the search: a corpus has no deep folders, and a home directory is not a corpus.
_DEEPEST, _MOST = 3, 20_000
_SHOWN = 3
EXTRACTORS = (
    "only features are read, not audio or video. cmsbert features CLIPS --output FOLDER extracts "
    "them with openSMILE or librosa, and MediaPipe or dlib, and MMSA-FET (python -m MSA_FET) into "
    "a pickle that can be read here; or save each segment's frames (frames, width) as "
    "acoustic/ID.npy and visual/ID.npy beside the list"
)


def is_media(path: Path) -> bool:
    """Return whether a file has a suffix of audio or video."""
    return path.suffix.lower() in SUFFIXES


def media_in(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return the media files in folders and beside files, in a fixed order.

    Folders are searched a few levels deep, up to some thousand entries.
    """
    found: dict[Path, None] = {}
    for path in paths:
        found |= dict.fromkeys(_below(path) if path.is_dir() else _beside(path))
    return tuple(found)


def media_message(media: Sequence[Path]) -> str:
    """Return a sentence that names media files and says how to use features instead."""
    shown = ", ".join(file.name for file in media[:_SHOWN]) + ", ..." * (len(media) > _SHOWN)
    many = "media file is" if len(media) == 1 else "media files are"
    return f"{len(media)} {many} not read ({shown}): {EXTRACTORS}"


def _beside(file: Path) -> list[Path]:
    try:
        return sorted(each for each in file.parent.iterdir() if is_media(each))
    except OSError:
        return []


def _below(folder: Path) -> list[Path]:
    found: list[Path] = []
    seen = 0
    for place, folders, files in os.walk(folder):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if depth < _DEEPEST else []
        found += [Path(place) / name for name in sorted(files) if is_media(Path(name))]
        seen += len(files) + len(folders)
        if seen > _MOST:
            break
    return found
