"""Layouts whose files are pickles; the layout is recognised by a file's content."""

import io
import pickletools
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mmf_cmsbert.datasets.readers import registry
from mmf_cmsbert.datasets.readers.layout import Layout, Request
from mmf_cmsbert.datasets.readers.names import field_named, known_splits, split_named
from mmf_cmsbert.datasets.readers.streams import bounded
from mmf_cmsbert.datasets.readers.text import describe
from mmf_cmsbert.datasets.readers.unpickler import load_plain
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import DataError, SegmentError
from mmf_cmsbert.files import open_regular

SUFFIXES = (".pkl", ".pickle", ".pk", ".p")
# A pickle's first instructions show whether it holds a list or a dict, and of what.
_CONTAINERS = {"EMPTY_LIST": list, "LIST": list, "EMPTY_DICT": dict, "DICT": dict}
_CONTAINERS_OLD = ("LIST", "DICT")  # of protocol 0, which write a mark first
_START = 4096
# A pickle of protocol 2 or later, or a container; other text can be valid instructions by chance.
_STARTS = (b"\x80", b"(", b"]", b"}")


class PickledLayout(Layout):
    """A layout of pickles of numpy arrays and built-in containers.

    Pickles are read by :func:`~.unpickler.load_plain`, which executes nothing that they name.

    Attributes:
        content: the form of a file's content, for messages.
        opening: the types of a file's outermost containers, from outside in.
    """

    suffixes = SUFFIXES
    content: ClassVar[str]
    opening: ClassVar[tuple[type, ...]] = ()

    def recognise(self, path: Path) -> bool:
        """Return False: only the content shows which of these layouts a file has."""
        return False

    def begins(self, containers: tuple[type, ...]) -> bool:
        """Return whether a file begins with these containers, in the order of their opening."""
        return bool(self.opening) and containers[: len(self.opening)] == self.opening

    @abstractmethod
    def recognise_content(self, content: Any) -> bool:
        """Return whether ``content``, read from a file, has this layout."""

    @abstractmethod
    def content_segments(
        self, content: Any, request: Request, where: str
    ) -> Iterator[Segment | SegmentError]:
        """Yield the segments of a split, and an error object for each unusable one.

        Args:
            content: the content of the file.
            request: the split to read, and what the user states about the file.
            where: the file, for messages.

        Raises:
            DataError: the content has another layout, or lacks the split.
        """

    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        for file in files:
            yield from bounded(self._segments(file, request), [file])

    def _segments(self, file: Path, request: Request) -> Iterator[Segment | SegmentError]:
        content = load_plain(file)
        layout = self._layout_of(content, file)
        request.on_count(layout.count(content, request.split))
        yield from layout.content_segments(content, request, str(file))

    def count(self, content: Any, split: str) -> int:
        """Return the number of segments in a split if it is cheap to tell, else 0."""
        if isinstance(content, dict):
            content = next((v for k, v in content.items() if split_named(k) == split), content)
        if isinstance(content, dict):
            content = next((v for k, v in content.items() if field_named(k) == "id"), None)
        return len(content) if isinstance(content, (list, tuple)) or np.ndim(content) else 0

    def _layout_of(self, content: Any, file: Path) -> "PickledLayout":
        return self


class AnyPickle(PickledLayout):
    """A pickle whose content shows its layout. It is not registered."""

    def recognise_content(self, content: Any) -> bool:
        return any(each.recognise_content(content) for each in pickled_layouts())

    def content_segments(
        self, content: Any, request: Request, where: str
    ) -> Iterator[Segment | SegmentError]:
        return self._layout_of(content, Path(where)).content_segments(content, request, where)

    def _layout_of(self, content: Any, file: Path) -> PickledLayout:
        known = pickled_layouts()
        for layout in reversed(known):
            if layout.recognise_content(content):
                return layout
        *others, last = (f"{each.content} ({each.name.upper()})" for each in known)
        first = f", whose first entry is {describe(content[0])}" if type(content) is list else ""
        raise DataError(
            f"{file}: unknown layout. Expected {', '.join(others)}, or {last}, found "
            f"{describe(content)}{first}. Accepted names of the splits: {known_splits()}"
        )


def pickled_layouts() -> list[PickledLayout]:
    """Return the registered layouts of pickles, those with a low rank first."""
    return [each for each in registry.layouts() if isinstance(each, PickledLayout)]


def likely_layout(path: Path) -> PickledLayout | None:
    """Return the layout of a pickle by its first instructions, None if they do not show it.

    Raises:
        OSError: the file cannot be read.
    """
    found = _containers(path)
    for layout in reversed(pickled_layouts()):
        if layout.begins(found):
            return layout
    return None


def _containers(path: Path) -> tuple[type, ...]:
    """Return the containers that a pickle begins with, in the order in which it opens them."""
    with open_regular(path) as file:
        start = io.BytesIO(file.read(_START))
    containers: list[type] = []
    if start.getvalue()[:1] not in _STARTS:
        return ()
    previous = ""
    try:
        for instruction, _, _ in pickletools.genops(start):
            # A mark opens a tuple, unless it belongs to a container that has been opened.
            if previous == "MARK" and not containers and instruction.name not in _CONTAINERS_OLD:
                containers.append(tuple)
            if instruction.name in _CONTAINERS:
                containers.append(_CONTAINERS[instruction.name])
            previous = instruction.name
    except Exception:  # cut after _START bytes, or not a pickle: the reader reports it
        pass
    return tuple(containers)
