"""The roles of computational sequences: words, labels, or the frames of a modality."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mmf_cmsbert.datasets.readers import csd_file, video_lists
from mmf_cmsbert.errors import DataError

# Role -> parts of the names of its sequences and files.
_NAMES = {
    "labels": ("label",),
    "visual": ("facet", "openface", "visual"),
    "acoustic": ("covarep", "opensmile", "acoustic"),
    "words": ("word",),
}
# Sequences of word vectors are not words.
_NO_WORDS = ("vector", "glove", "embedding")


@contextmanager
def open_roles(paths: Sequence[Path], corpus: str) -> Iterator[dict[str, csd_file.Sequence]]:
    """Open the sequences in files and folders: role -> its sequence, with ``labels`` and ``words``.

    Args:
        paths: ``.csd`` files and folders of them. In a folder, files without a role are skipped.
        corpus: ``mosi`` or ``mosei``, for file names in messages.

    Raises:
        DataError: a file has no role, two files have the same role, or labels or words are missing.
    """
    with ExitStack() as stack:
        roles: dict[str, csd_file.Sequence] = {}
        for path, named in _files(paths):
            sequence = stack.enter_context(csd_file.open_sequence(path))
            _assign(roles, sequence, named)
        for role in ("labels", "words"):
            if role not in roles:
                files = ", ".join(str(s.path) for s in roles.values()) or "no other file"
                raise DataError(
                    f"{', '.join(map(str, paths))}: no computational sequence of {role}, only "
                    f"{files}. Name the {role} file too, for example "
                    f"CMU_{corpus.upper()}_{'Labels' if role == 'labels' else 'TimestampedWords'}"
                    ".csd"
                )
        yield roles


def labelled_videos(paths: Sequence[Path]) -> frozenset[str]:
    """Return the videos that have labels; empty without a sequence of labels.

    Raises:
        DataError: a file is not a computational sequence.
    """
    for path, _ in _files(paths):
        with csd_file.open_sequence(path) as sequence:
            if _role(sequence) == "labels":
                return sequence.videos
    return frozenset()


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield each file, and whether the user named it rather than its folder."""
    for path in paths:
        if path.is_dir():
            yield from ((file, False) for file in sorted(path.glob("*.csd")))
        elif not video_lists.is_video_lists(path):
            yield path, True


def _role(sequence: csd_file.Sequence) -> str | None:
    """Return ``labels``, ``words`` or a modality, by the names of the sequence and its file."""
    name = f"{sequence.name} {sequence.path.stem}".lower()
    role = next((r for r, parts in _NAMES.items() if any(part in name for part in parts)), None)
    return None if role == "words" and any(part in name for part in _NO_WORDS) else role


def _assign(roles: dict[str, csd_file.Sequence], sequence: csd_file.Sequence, named: bool) -> None:
    role = _role(sequence)
    if role is None:
        if named:
            raise DataError(
                f"{sequence.path}: unknown computational sequence {sequence.name!r}; "
                "expected words, labels, FACET or OpenFace, COVAREP or OpenSMILE"
            )
    elif role in roles:
        raise DataError(
            f"{roles[role].path} and {sequence.path} both hold {role}; name the files to read one "
            "by one"
        )
    else:
        roles[role] = sequence
