"""Read the segments of a split from files of any layout."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from mmf_cmsbert.config.schemas.targets import Target
from mmf_cmsbert.datasets.readers import registry
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.pickled_layout import AnyPickle, PickledLayout
from mmf_cmsbert.datasets.readers.streams import once_each
from mmf_cmsbert.datasets.readers.target_values import with_targets
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.media.card import check_same


def read_files(
    files: Sequence[Path],
    split: str,
    layout: str = registry.AUTO,
    corpus: str | None = "mosi",
    alignment: str = "word",
    elsewhere: Collection[Path] = (),
    vocabulary: Sequence[str] | None = None,
    on_count: Callable[[int], Any] = lambda count: None,
    widths: Mapping[str, int | None] | None = None,
    columns: Mapping[str, str] | None = None,
    label_values: Mapping[str, float] | None = None,
    context: int = 0,
    fold: int | None = None,
    voice: str | None = None,
    face: str | None = None,
    targets: Mapping[str, Target] | None = None,
) -> Iterator[Segment | SegmentError]:
    """Yield the segments of a split from all its files, in the order of the files.

    Yields an error object for each segment that cannot be used, and for duplicate ids in all files.
    Files of a layout that spreads a segment over several files, such as ``.csd``, are read
    together, before the others.

    Args:
        files: existing files and folders.
        split: ``train``, ``val`` or ``test``.
        layout: the name of the layout of all files, or ``auto`` to recognise each file's.
        corpus: ``mosi`` or ``mosei``, whose published lists split the videos of ``.csd`` files;
            None if the user names neither.
        alignment: ``word`` or ``none``, see :class:`.layout.Request`.
        elsewhere: the files that are listed for another split too.
        vocabulary: word pieces by id, for MMSA files that have ids and no text; or None.
        on_count: called with the number of segments of each file that states it.
        widths: modality -> declared width, see :class:`.layout.Request`.
        columns: field -> column, see :class:`.layout.Request`.
        label_values: name of a class -> its label, see :class:`.layout.Request`.
        context: previous utterances before each segment, see :class:`.layout.Request`.
        fold: which fold to read, see :class:`.layout.Request`.
        voice: the extractor of the voice, see :class:`.layout.Request`.
        face: the extractor of the face, see the same.
        targets: the declared targets, see :class:`.layout.Request`.

    Raises:
        DataError: a file is damaged or has another layout; the message names the file.
        ConfigError: the files need a corpus, and ``corpus`` is None.
    """
    request = Request(
        split,
        corpus,
        alignment,
        elsewhere,
        vocabulary,
        on_count,
        widths,
        columns or {},
        label_values or {},
        context,
        fold,
        voice,
        face,
        targets,
    )
    streams = [each.segments(own, request) for each, own in by_layout(files, layout)]
    where = ", ".join(map(str, files))
    segments = once_each(chain.from_iterable(streams), where)
    yield from segments if targets is None else with_targets(segments, targets, where)


def extractors_of(
    files: Sequence[Path],
    split: str,
    layout: str = registry.AUTO,
    voice: str | None = None,
    face: str | None = None,
) -> dict[str, Any]:
    """Return the card of the extractors of the frames in files, empty if none has one.

    Args:
        files: existing files and folders.
        split: ``train``, ``val`` or ``test``.
        layout: the name of the layout of all files, or ``auto``.
        voice: the extractor of the voice, see :class:`.layout.Request`.
        face: the extractor of the face, see the same.

    Raises:
        ConfigError: the files have frames of different extractors.
        DataError: a card is damaged.
    """
    request = Request(split, voice=voice, face=face)
    card: dict[str, Any] = {}
    for each, own in by_layout(files, layout):
        for path in own:
            found = each.extractors(path, request)
            check_same(card, found, "the files before it", str(path))
            card = card or dict(found)
    return card


def by_layout(
    files: Sequence[Path], layout: str = registry.AUTO
) -> list[tuple[Layout, list[Path]]]:
    """Group files by layout: first those that are read together, then the others one by one.

    Args:
        files: files and folders.
        layout: the name of the layout of all files, or ``auto``.

    Raises:
        DataError: the layout of a folder is unknown.
    """
    layouts = [
        _layout_of(file) if layout == registry.AUTO else registry.layout_named(layout)
        for file in files
    ]
    together: dict[Layout, list[Path]] = {}
    alone: list[tuple[Layout, list[Path]]] = []
    for file, each in zip(files, layouts, strict=True):
        if each.together:
            together.setdefault(each, []).append(file)
        else:
            alone.append((each, [file]))
    return [*together.items(), *alone]


def _layout_of(path: Path) -> Layout:
    layout = registry.recognise(path)
    if layout is None and path.is_dir():
        known = (each for each in registry.layouts() if not isinstance(each, PickledLayout))
        examples = chain.from_iterable(each.examples for each in known)
        names = sorted(dict.fromkeys(examples), key=lambda name: " " in name)  # file names first
        raise DataError(
            f"{path} is a folder without {' or '.join(names)}; expected one of these in it, or the "
            "name of a file"
        )
    return layout or AnyPickle()
