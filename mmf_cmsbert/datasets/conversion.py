"""Convert files of any layout to a store, once, and again when files or settings change."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mmf_cmsbert.config.schemas.datasets import SentimentDatasetConfig
from mmf_cmsbert.config.schemas.targets import SENTIMENT, Target
from mmf_cmsbert.datasets.normalise import corpus_statistics
from mmf_cmsbert.datasets.preparation import prepared
from mmf_cmsbert.datasets.readers import registry
from mmf_cmsbert.datasets.readers.pickled_layout import AnyPickle, pickled_layouts
from mmf_cmsbert.datasets.readers.reading import by_layout, extractors_of, read_files
from mmf_cmsbert.datasets.readers.source_files import files_of
from mmf_cmsbert.datasets.readers.streams import Stream
from mmf_cmsbert.datasets.segment import Segment
from mmf_cmsbert.datasets.split_rule import in_split
from mmf_cmsbert.datasets.stores.manifest import NAME as MANIFEST
from mmf_cmsbert.datasets.stores.manifest import Manifest, SourceFile, identify, read_manifest
from mmf_cmsbert.datasets.stores.store import StoredSegments, replaced_folder, write_store
from mmf_cmsbert.datasets.synthetic import is_synthetic
from mmf_cmsbert.datasets.validation import not_empty, the_segments, usable
from mmf_cmsbert.errors import ConfigError, DataError
from mmf_cmsbert.files import read_regular
from mmf_cmsbert.utils.unfinished import look_through

# Increase this when the same files and settings give another result.
_VERSION = 3
# Settings that stores of earlier versions do not name.
_ADDED = (
    "columns",
    "label_values",
    "context",
    "fold",
    "voice",
    "face",
    "targets",
    "split_rule",
)
# Bytes of a tokenizer's vocab.txt.
_LARGEST_VOCABULARY = 1 << 26


@dataclass(frozen=True)
class ConversionSettings:
    """How segments are converted.

    Attributes:
        corpus: ``mosi`` or ``mosei``; its canonical split is used for computational sequences.
        layout: a layout's name, or ``auto``.
        alignment: ``word`` or ``none``, for computational sequences.
        widths: modality -> declared width, None to leave the modality out; None for all
            modalities, each with the width of the first segment that has it.
        labelled: whether every segment must have a label.
        max_frames: largest number of frames; more are averaged over windows. None for no limit.
        by_segment: whether to normalise each column over the frames of its segment.
        on_invalid: ``error``, or ``skip`` to skip unusable segments with a message.
        non_finite: ``error`` (such a segment cannot be used), or ``zero``.
        vocabulary: the ``vocab.txt`` for the ids of MMSA files without text.
        single_frame: ``keep``, or ``every_word`` to repeat a modality's only frame for each word.
        columns: field of a segment -> its column in a Hugging Face dataset.
        label_values: name of a class -> its label, for a dataset with classes as labels.
        context: previous utterances before each segment, in layouts that have them.
        fold: the fold of a corpus that is published with folds, or None.
        targets: name -> target, the main one first; None for sentiment in [-3, 3].
        voice: the extractor of acoustic frames from a column of sound or clips, or None.
        face: the extractor of visual frames from a column of clips, or None.
        split_rule: how to divide files without splits, see :func:`.split_rule.in_split`; or None.
    """

    corpus: str
    layout: str = "auto"
    alignment: str = "word"
    widths: dict[str, int | None] | None = None
    labelled: bool = False
    max_frames: int | None = None
    by_segment: bool = False
    on_invalid: str = "error"
    non_finite: str = "error"
    vocabulary: Path | None = None
    single_frame: str = "keep"
    columns: dict[str, str] = field(default_factory=dict)
    label_values: dict[str, float] = field(default_factory=dict)
    context: int = 0
    fold: int | None = None
    targets: Mapping[str, Target] | None = None
    voice: str | None = None
    face: str | None = None
    split_rule: dict[str, Any] | None = None

    @property
    def stated_targets(self) -> list[list[Any]] | None:
        """``targets`` as JSON types, in their order."""
        if self.targets is None:
            return None
        return [[name, target.plain()] for name, target in self.targets.items()]


def defined_settings(corpus: str, defined: SentimentDatasetConfig) -> ConversionSettings:
    """Return how a dataset's definition says that its segments are converted.

    ``widths``, ``labelled`` and ``split_rule`` are not set: they depend on what a store is for.

    Args:
        corpus: the name of the dataset.
        defined: ``dataset_config.<name>``, checked.
    """
    return ConversionSettings(
        corpus=corpus,
        layout=defined.layout,
        alignment=defined.alignment,
        max_frames=defined.max_frames,
        by_segment=defined.normalise == "segment",  # training applies statistics of a corpus
        on_invalid=defined.on_invalid,
        non_finite=defined.non_finite,
        vocabulary=Path(defined.vocabulary) if defined.vocabulary else None,
        single_frame=defined.single_frame,
        columns=defined.named_columns,
        label_values=defined.label_values or {},
        context=defined.context,
        fold=defined.fold,
        targets=defined.predicted if defined.targets else None,
        voice=defined.voice,
        face=defined.face,
    )


def convert(
    files: Sequence[Path],
    split: str,
    settings: ConversionSettings,
    folder: Path,
    elsewhere: Collection[Path] = (),
    on_convert: Callable[[], Any] = lambda: None,
    is_part: bool = False,
) -> StoredSegments:
    """Return the store in ``folder``, converted from ``files`` if it is missing or outdated.

    Args:
        files: existing files and folders of one split.
        split: ``train``, ``val`` or ``test``.
        settings: how to convert the segments.
        folder: the store. If it exists and is not a store, it is kept and an error is raised.
        elsewhere: those of ``files`` that are listed for another split too.
        on_convert: called before the files are read, if they are read.
        is_part: whether this is one of the shards of a split, which may be empty, and has neither
            a progress bar nor statistics of its own.

    Raises:
        DataError: a file or a segment cannot be used, or the folder cannot be written. An earlier
            store in ``folder`` is kept, and no partial one is left.
    """
    files = [file.absolute() for file in files]
    made_with = settings_of(files, split, settings, elsewhere)
    look_through(folder.parent)
    found = _manifest(folder)
    behind = _behind(files, split, settings)
    sources = identify(behind, found.sources if found else ())
    if found and found.settings == made_with and _same(found.sources, sources):
        with suppress(DataError):  # a damaged store is converted again
            store = StoredSegments(folder)
            if found.sources != sources:  # equal content, new time: avoid hashing again next time
                with suppress(OSError):
                    replace(found, sources=sources).write(folder)
            return store
    on_convert()
    with replaced_folder(folder) as unfinished:
        _write(unfinished, files, split, settings, elsewhere, sources, made_with, is_part)
        if identify(behind, sources) != sources:
            raise DataError(
                f"{', '.join(map(str, files))}: changed while being read; repeat the command when "
                "the file is complete"
            )
    return StoredSegments(folder)


def is_current(
    files: Sequence[Path],
    split: str,
    settings: ConversionSettings,
    folder: Path,
    elsewhere: Collection[Path] = (),
) -> bool:
    """Return whether ``folder`` holds what :func:`convert` would write there.

    Arguments as for :func:`convert`.
    """
    files = [file.absolute() for file in files]
    try:
        found = StoredSegments(folder).manifest
        sources = identify(_behind(files, split, settings), found.sources)
    except DataError:
        return False
    return found.settings == settings_of(files, split, settings, elsewhere) and _same(
        found.sources, sources
    )


def settings_of(
    files: Sequence[Path], split: str, settings: ConversionSettings, elsewhere: Collection[Path]
) -> dict[str, Any]:
    """Return everything but the files' content that a store depends on, as JSON types."""
    return _made_with(files, split, settings, elsewhere) | _user_code(files, settings.layout)


def _behind(files: Sequence[Path], split: str, settings: ConversionSettings) -> list[Path]:
    """Return all files that the segments are read from."""
    found = files_of(files, split, settings.layout)
    return [*found, settings.vocabulary.absolute()] if settings.vocabulary else found


def store_name(
    files: Sequence[Path], split: str, settings: ConversionSettings, elsewhere: Collection[Path]
) -> str:
    """Return a folder name for the store of these files and settings, whatever their content."""
    files = [file.absolute() for file in files]
    made_with = json.dumps(_made_with(files, split, settings, elsewhere), sort_keys=True)
    return f"{settings.corpus}-{split}-{hashlib.sha256(made_with.encode()).hexdigest()[:12]}"


def fitting_store(
    files: Sequence[Path], split: str, settings: ConversionSettings
) -> StoredSegments | None:
    """Return the store named by ``files`` if it equals the result of a conversion, else None.

    Raises:
        ConfigError: the store has another ``context`` or ``fold``, which a store cannot change.
    """
    if len(files) != 1 or settings.layout not in ("auto", "store"):
        return None
    for folder in (files[0], files[0] / split):
        if not (folder / MANIFEST).exists():
            continue
        manifest = read_manifest(folder)
        made_with = manifest.settings
        for name in ("context", "fold"):
            # Stores of `cmsbert data folds` had a `fold` of their own, beside `folds`.
            found = None if name == "fold" and "folds" in made_with else made_with.get(name)
            _check_same(name, found, getattr(settings, name), folder, settings)
        if _fits(manifest, settings):
            return StoredSegments(folder)
    return None


def _check_same(
    name: str, found: Any, wanted: Any, folder: Path, settings: ConversionSettings
) -> None:
    if (found or None) != (wanted or None):
        key = f"dataset_config.{settings.corpus}.{name}"
        typed = json.dumps(found or (0 if name == "context" else None))
        again = f", or convert the files again with --{name} {wanted}" if wanted else ""
        raise ConfigError(
            f"{folder}: a store with {name} {typed}, but {key} is {json.dumps(wanted)}; type "
            f"{key}={typed}{again}"
        )


def _fits(found: Manifest, settings: ConversionSettings) -> bool:
    widths = settings.widths or {}
    longest = settings.max_frames
    return (
        all(width == widths.get(m) for m, width in found.widths.items())
        and (longest is None or all(found.longest[m] <= longest for m in found.widths))
        and (found.settings.get("by_segment") or not settings.by_segment)
        and (found.labels == found.segments or not settings.labelled)
        and found.settings.get("targets") == settings.stated_targets
        and (settings.single_frame == "keep" or found.unaligned is None)
    )


def _write(
    folder: Path,
    files: Sequence[Path],
    split: str,
    settings: ConversionSettings,
    elsewhere: Collection[Path],
    sources: Sequence[SourceFile],
    made_with: dict[str, Any],
    is_part: bool,
) -> None:
    where = ", ".join(map(str, files))
    skipped: list[str] | None = [] if settings.on_invalid == "skip" else None
    # disable=None: shown on a terminal only.
    quiet = True if is_part else None
    bar = tqdm(desc=f"{settings.corpus} {split}: converting", unit=" segments", disable=quiet)
    with bar:
        read: Stream = read_files(
            files,
            "test" if settings.split_rule else split,  # as files without splits count
            settings.layout,
            settings.corpus,
            settings.alignment,
            () if settings.split_rule else elsewhere,  # divided files are in every split
            _lines(settings.vocabulary) if settings.vocabulary else None,
            on_count=partial(_expect, bar),
            widths=settings.widths,
            columns=settings.columns,
            label_values=settings.label_values,
            context=settings.context,
            fold=settings.fold,
            voice=settings.voice,
            face=settings.face,
            targets=settings.targets,
        )
        if settings.split_rule:
            read = in_split(read, split, settings.split_rule)
        key = f"dataset_config.{settings.corpus}"
        checked = usable(
            read,
            settings.widths,
            where,
            key,
            settings.labelled,
            settings.non_finite,
            settings.targets or SENTIMENT,
        )
        segments: Iterable[Segment] = the_segments(checked, skipped)
        if not is_part:
            segments = not_empty(segments, where, skipped)
        write = write_store if is_part else partial(write_split, split=split)
        write(
            folder,
            segments=(_finished(segment, settings, bar) for segment in segments),
            sources=sources,
            settings=made_with,
            skipped=() if skipped is None else skipped,
            extractors=extractors_of(files, split, settings.layout, settings.voice, settings.face),
            synthetic=any(_is_generated(Path(source.path)) for source in sources),
        )


def _is_generated(file: Path) -> bool:
    """Return whether a source is synthetic: a file, or the manifest of a store."""
    if file.name == MANIFEST:
        return read_manifest(file.parent).synthetic
    return is_synthetic(file)


def write_split(folder: Path, split: str, segments: Iterable[Segment], **origin: Any) -> None:
    """Call :func:`write_store`, and add the columns' statistics to a training split's manifest."""
    write_store(folder, segments, **origin)
    add_statistics(folder, split)


def add_statistics(folder: Path, split: str) -> None:
    """Add the columns' statistics to the manifest of a training split's store."""
    if split == "train":
        statistics = corpus_statistics(StoredSegments(folder))
        as_lists = {m: [each.tolist() for each in pair] for m, pair in statistics.items()}
        replace(read_manifest(folder), statistics=as_lists).write(folder)


def _lines(file: Path) -> list[str]:
    try:
        return read_regular(file, _LARGEST_VOCABULARY).decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{file}: cannot be read as a vocabulary ({str(error)[:200]}); expected text with one "
            "word piece per line"
        ) from error


def _expect(bar: tqdm, count: int) -> None:
    bar.total = (bar.total or 0) + count


def _finished(segment: Segment, settings: ConversionSettings, bar: tqdm) -> Segment:
    bar.update()
    every_word = settings.single_frame == "every_word"
    return prepared(segment, settings.max_frames, settings.by_segment, every_word)


def _made_with(
    files: Sequence[Path], split: str, settings: ConversionSettings, elsewhere: Collection[Path]
) -> dict[str, Any]:
    """Return everything but the files' content that the segments depend on, as JSON types."""
    shared = {file.absolute() for file in elsewhere} & set(files)
    stated = asdict(settings) | {"targets": settings.stated_targets}
    for name in _ADDED:
        if not stated[name]:
            del stated[name]
    return stated | {
        "vocabulary": settings.vocabulary and str(settings.vocabulary.absolute()),
        "split": split,
        "files": [str(file) for file in files],
        "elsewhere": sorted(map(str, shared)),
        "version": _VERSION,
    }


def _user_code(files: Sequence[Path], layout: str) -> dict[str, Any]:
    """Return ``code``: layout -> hash of its file, for layouts outside of this package.

    Files are converted again when the code of their layout changes.
    """
    hashes = {
        each.name: code
        for used, _ in by_layout(files, layout)
        for each in (pickled_layouts() if isinstance(used, AnyPickle) else [used])
        if (code := registry.code_of(each))
    }
    return {"code": hashes} if hashes else {}


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except DataError:
        return None


def _same(one: Sequence[SourceFile], other: Sequence[SourceFile]) -> bool:
    return [(s.path, s.sha256) for s in one] == [(s.path, s.sha256) for s in other]
