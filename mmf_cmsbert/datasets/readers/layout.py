"""The interface of a layout: how its files are recognised and read, and which splits they hold."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from mmf_cmsbert.config.schemas.targets import Target, main
from mmf_cmsbert.datasets.readers.names import split_in
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.errors import SegmentError


@dataclass(frozen=True)
class Request:
    """Which segments to read, and what the user states about the files.

    Attributes:
        split: ``train``, ``val`` or ``test``.
        corpus: ``mosi`` or ``mosei``, or None if the user names neither. Its published lists of
            videos split the files of layouts that name no split.
        alignment: ``word`` for one frame per word, ``none`` for all frames; for layouts in which
            words and frames have times.
        shared: the files that are listed for another split too.
        vocabulary: word pieces by id, for files with ids instead of text; or None.
        on_count: call this with the number of segments of a file if it is known in advance; the
            progress bar shows it.
        widths: modality -> columns of a frame as declared, None for a modality that is left out;
            None if none are declared. For files with the frames of a segment in one flat list, and
            for files in which modalities have names of the user's choice.
        columns: field of a segment -> its column, for files whose columns have names of their own.
        label_values: name of a class -> its label, for files with classes as labels.
        context: how many previous utterances to put before the words of a segment, for layouts
            that have them, see :func:`.context.with_context`.
        fold: the fold of a corpus that is published with folds, counted from 1; None for its other
            protocol.
        voice: the extractor of the acoustic frames, for files with sound; None to read none.
        face: the extractor of the visual frames, for files with clips; None to read none.
        targets: name -> what is predicted, the main target first; None if none are declared. A
            layout gives the main label as the segment's ``label``, and other values in its
            ``metadata``, see :func:`.target_values.with_targets`.
    """

    split: str
    corpus: str | None = "mosi"
    alignment: str = "word"
    shared: Collection[Path] = ()
    vocabulary: Sequence[str] | None = None
    on_count: Callable[[int], Any] = lambda count: None
    widths: Mapping[str, int | None] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    label_values: Mapping[str, float] = field(default_factory=dict)
    context: int = 0
    fold: int | None = None
    voice: str | None = None
    face: str | None = None
    targets: Mapping[str, Target] | None = None

    @property
    def main_target(self) -> str | None:
        """The name of the main target; None if no targets are declared."""
        return None if self.targets is None else main(self.targets)[0]

    @property
    def modalities(self) -> tuple[str, ...] | None:
        """The declared modalities; None if none are declared, to read all that there are."""
        if self.widths is None:
            return None
        return tuple(modality for modality, width in self.widths.items() if width)


class Layout(ABC):
    """A layout of data files. Register a subclass with :func:`.registry.register_layout`.

    A subclass has :meth:`recognise` and :meth:`segments`; the other methods and attributes have
    defaults that suit files which hold one split each.

    Attributes:
        name: the name under which it is registered.
        examples: descriptions of the files in a folder with a corpus of this layout, for messages.
        suffixes: the suffixes, in lower case, of files that are searched in a folder by the name of
            their split, such as ``train.pkl``.
        together: whether several files each hold a part of every segment. They are then passed to
            :meth:`segments` in one call, otherwise one by one.
        rank: if several layouts recognise a path, the one with the highest rank reads it.
    """

    name: ClassVar[str]
    examples: ClassVar[tuple[str, ...]]
    suffixes: ClassVar[tuple[str, ...]] = ()
    together: ClassVar[bool] = False
    rank: ClassVar[int] = 10

    @abstractmethod
    def recognise(self, path: Path) -> bool:
        """Return whether the file or folder has this layout, by a quick check.

        It is called for every path that a user names, including files of other layouts, so it must
        not raise an error.
        """

    @abstractmethod
    def segments(self, files: Sequence[Path], request: Request) -> Iterator[Segment | SegmentError]:
        """Yield the segments of a split in order, and an error object for each unusable one.

        Args:
            files: existing files and folders of this layout.
            request: the split to read, and what the user states about the files.

        Raises:
            DataError: a file is damaged or has another layout; the message names the file.
        """

    def splits(self, path: Path, beside: Sequence[Path] = ()) -> Sequence[str]:
        """Return the splits that the content of ``path`` names; empty if it names none.

        Args:
            path: a file or folder of this layout.
            beside: the files and folders that the user named together with it.
        """
        return ()

    def split_by_name(self, path: Path) -> str | None:
        """Return the split in the name of ``path``, for a path whose content names none."""
        return split_in(path.stem) if path.is_file() else None

    def sources(self, path: Path, split: str) -> Iterable[Path]:
        """Return the files that the segments of a split are read from, in a fixed order.

        A store is converted again when one of them changes. Default: the file itself, or every file
        below the folder.
        """
        if not path.is_dir():
            return [path]
        return sorted(file for file in path.rglob("*") if file.is_file())

    def unlisted(self, files: Sequence[Path], corpus: str) -> list[str]:
        """Return the videos in ``files`` that belong to no split of ``corpus``."""
        return []

    def extractors(self, path: Path, request: Request) -> Mapping[str, Any]:
        """Return the card of the extractors of the frames in ``path``, empty if it has none.

        See :mod:`mmf_cmsbert.media.card`.
        """
        return {}

    def in_subfolders(self, path: Path) -> bool:
        """Return whether to search the subfolders of a recognised folder instead of itself."""
        return False

    def ambiguity(self, path: Path) -> str | None:
        """Return a message if a recognised folder may have another layout too, else None.

        It is called if the user did not name the layout; the message asks for it.
        """
        return None
