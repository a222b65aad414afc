"""Which computational sequence holds what: the words, the labels, the frames of a modality."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mmf_cmsbert.datasets.readers import csd_file, video_lists
from mmf_cmsbert.errors import DataError

# Role -> what the name of such a sequence, or of its file, contains.
_NAMES = {
    "labels": ("label",),
    "visual": ("facet", "openface", "visual"),
    "acoustic": ("covarep", "opensmile", "acoustic"),
    "words": ("word",),
}
# Vectors of words are no words.
_NO_WORDS = ("vector", "glove", "embedding")


@contextmanager
def open_roles(paths: Sequence[Path], corpus: str) -> Iterator[dict[str, csd_file.Sequence]]:
    """Open the sequences in files and folders: role -> its sequence, ``labels`` and ``words`` among
    them.

    Args:
        paths: ``.csd`` files, and folders of them. Of a folder, files without a role are left out.
        corpus: ``mosi`` or ``mosei``, for the names of files in messages.

    Raises:
        DataError: a file without a role, two files of one role, or no labels or no words.
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
    """The videos that have labels; none without a sequence of labels.

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
    """``labels``, ``words`` or a modality, by the names of the sequence and its file."""
    name = f"{sequence.name} {sequence.path.stem}".lower()
    role = next((r for r, parts in _NAMES.items() if any(part in name for part in parts)), None)
    return None if role == "words" and any(part in name for part in _NO_WORDS) else role


def _assign(roles: dict[str, csd_file.Sequence], sequence: csd_file.Sequence, named: bool) -> None:
    role = _role(sequence)
    if role is None:
        if named:
            raise DataError(
                f"{sequence.path}: the computational sequence {sequence.name!r} is not known; "
                "expected words, labels, FACET or OpenFace, COVAREP or OpenSMILE"
            )
    elif role in roles:
        raise DataError(
            f"{roles[role].path} and {sequence.path} both hold {role}; name the files that are "
            "wanted one by one"
        )
    else:
        roles[role] = sequence
