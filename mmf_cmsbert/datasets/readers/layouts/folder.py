"""The plain folder: a list of segments, and files with their frames.

The list, such as ``segments.jsonl`` or ``segments.csv``, has a row for each segment;
``<modality>/<id>.npy`` (or ``.npz``) holds its frames of a modality, where there are any.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path

from mmf_cmsbert.datasets.readers import video_lists
from mmf_cmsbert.datasets.readers.feature_folders import FILES, feature_folders
from mmf_cmsbert.datasets.readers.fields import read_each
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.list_rows import is_of, read_rows, segment_of_row
from mmf_cmsbert.datasets.readers.names import split_named
from mmf_cmsbert.datasets.readers.registry import register_layout
from mmf_cmsbert.datasets.readers.tables import SUFFIXES
from mmf_cmsbert.datasets.segment import SPLITS, Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.media import card

NAMES = tuple(f"segments{suffix}" for suffix in SUFFIXES)


@register_layout("folder")
class Folder(Layout):
    """A folder with a list of segments, or a list with any name.

    Rows belong to the split that they name. If no row names one, all belong to the split for which
    the user lists the folder. Other columns are kept as the segment's metadata. A segment without a
    feature file counts as missing that modality.
    """

    examples = NAMES
    suffixes = SUFFIXES
    rank = 4

    def recognise(self, path: Path) -> bool:
        if path.is_dir():
            return any((path / name).exists() for name in NAMES)
        return path.suffix.lower() in SUFFIXES and not video_lists.is_video_lists(path)

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return the splits that the rows name.

        If the rows cannot be read or name an unknown split, return all splits; :meth:`segments`
        then raises the error.

        Raises:
            OSError: the list cannot be read.
        """
        file = next((path / name for name in NAMES if (path / name).exists()), path)
        status = file.stat()
        return _splits_of_rows(file, status.st_size, status.st_mtime_ns)

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        """Return the list and all feature files."""
        lists = [path / name for name in NAMES] if path.is_dir() else [path]
        yield from (each for each in lists if each.exists())
        folder = path if path.is_dir() else path.parent
        if (folder / card.NAME).exists():
            yield folder / card.NAME
        for folders in feature_folders(folder).values():
            for each in folders:
                yield from sorted(each.glob(FILES))

    def extractors(self, path: Path, request: Request) -> card.Card:
        """Return the card that ``cmsbert features`` wrote beside the list."""
        return card.read_card(path if path.is_dir() else path.parent)

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        for path in files:
            yield from _segments(path, request)


def _segments(path: Path, request: Request) -> Iterator[Segment | SegmentError]:
    file = _list_file(path)
    rows = list(read_rows(file, request.columns))
    named = sum("split" in row.fields for row in rows)
    if named not in (0, len(rows)):
        line = next(row.where for row in rows if "split" not in row.fields)
        raise DataError(f"{line}: no 'split', but other rows name theirs; name it in all or none")
    if rows and not named and path in request.shared:
        raise DataError(
            f"{file} is in more than one of annotations.train, val and test, and its rows name "
            "no split: the same segments would be trained on and scored. Give each row a 'split' "
            "(train, val or test), or each split a separate list"
        )
    folders = feature_folders(file.parent, request.modalities)
    _check_files(folders, [str(row.fields.get("id")).strip() for row in rows])
    own = (row for row in rows if is_of(row, request.split))
    wanted = ((row, folders, request.main_target) for row in own)
    yield from read_each(segment_of_row, wanted)


@cache
def _splits_of_rows(file: Path, _size: int, _mtime_ns: int) -> Sequence[str]:
    """Cache the splits while the file is unchanged, because a run asks for every split."""
    try:
        rows = read_rows(file)
        splits = {split_named(str(row.fields["split"])) for row in rows if "split" in row.fields}
    except DataError:
        return SPLITS
    found = tuple(split for split in SPLITS if split in splits)
    return found or (SPLITS if splits else ())


def _list_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [path / name for name in NAMES if (path / name).exists()]
    if len(found) != 1:
        there = "both" if len(found) == 2 else " and ".join(f.name for f in found) or "neither"
        raise DataError(
            f"{path}: expected one list of segments, {' or '.join(NAMES)}, found {there}"
        )
    return found[0]


def _check_files(folders: Mapping[str, Sequence[Path]], names: list[str]) -> None:
    wanted = {f"{name}{suffix}" for name in names for suffix in (".npy", ".npz")}
    for each in chain.from_iterable(folders.values()):
        files = {f.name for f in each.glob(FILES)}
        if files and names and not files & wanted:
            raise DataError(
                f"{each} holds files, such as {min(files)}, but none for a segment in the list; "
                f"expected names such as {names[0]}.npy"
            )
